#include "common/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static bool is_loopback_v4(struct in_addr at)
{
    return ntohl(at.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool loopback_host(const char *host, size_t len)
{
    static const char *const names[] = {"localhost", "[::1]"};
    char number[INET_ADDRSTRLEN];
    struct in_addr at;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (len == strlen(names[i]) && strncasecmp(host, names[i], len) == 0)
            return true;
    if (len >= sizeof number)
        return false;
    memcpy(number, host, len);
    number[len] = '\0';
    return inet_pton(AF_INET, number, &at) == 1 && is_loopback_v4(at);
}

bool loopback_address(const struct sockaddr *at)
{
    if (at->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)at;
        return is_loopback_v4(in->sin_addr);
    }
    if (at->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)at;
        return IN6_IS_ADDR_LOOPBACK(&in->sin6_addr);
    }
    return false;
}
