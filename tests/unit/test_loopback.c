#include "common/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <criterion/criterion.h>

static bool is_host(const char *host)
{
    return loopback_host(host, strlen(host));
}

Test(loopback, names_and_addresses_of_this_machine_are_loopback)
{
    cr_expect(is_host("localhost"));
    cr_expect(is_host("LocalHost"));
    cr_expect(is_host("127.0.0.1"));
    cr_expect(is_host("127.255.3.9"));
    cr_expect(is_host("[::1]"));
}

Test(loopback, host_that_only_starts_like_loopback_is_not)
{
    cr_expect_not(is_host("localhost.example.com"));
    cr_expect_not(is_host("127.example.com"));
    cr_expect_not(is_host("127.0.0.1.example.com"));
    cr_expect_not(is_host("127.1"));
    cr_expect_not(is_host("[::1"));
    cr_expect_not(is_host("[::12]"));
    cr_expect_not(is_host("128.0.0.1"));
    cr_expect_not(is_host("0.0.0.0"));
    cr_expect_not(is_host(""));
}

Test(loopback, nothing_is_read_past_the_length_of_the_host)
{
    cr_expect(loopback_host("127.0.0.1:8070", 9));
    cr_expect(loopback_host("localhost/v1", 9));
    cr_expect_not(loopback_host("127.0.0.1", 4));
}

Test(loopback, addresses_are_checked_by_their_family)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr other = {.sa_family = AF_UNIX};

    v4.sin_addr.s_addr = htonl(0x7F000002);
    cr_expect(loopback_address((const struct sockaddr *)&v4));
    v4.sin_addr.s_addr = htonl(0x0A000001);
    cr_expect_not(loopback_address((const struct sockaddr *)&v4));
    cr_expect(loopback_address((const struct sockaddr *)&v6));
    v6.sin6_addr = (struct in6_addr)IN6ADDR_ANY_INIT;
    cr_expect_not(loopback_address((const struct sockaddr *)&v6));
    cr_expect_not(loopback_address(&other));
}
