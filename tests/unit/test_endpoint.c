#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/endpoint.h"

// Binds a socket to a port of this machine; makes it listen if `listens`.
static int take_port(bool listens, int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_geq(fd, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    if (listens)
        cr_assert_eq(listen(fd, 4), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void expect(const char *endpoint, const char *said)
{
    char reason[ENDPOINT_REASON_BYTES] = "?";

    endpoint_explain(endpoint, reason);
    cr_expect_not_null(strstr(reason, said), "%s: %s", endpoint, reason);
}

Test(endpoint, unused_port_is_distinguished_from_one_of_another_program)
{
    char endpoint[ENDPOINT_BYTES];
    int port, fd = take_port(false, &port);

    (void)snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%d", port);
    expect(endpoint, " (nothing listens at that port)");
    (void)snprintf(endpoint, sizeof endpoint, "tcp://[127.0.0.1]:%d", port);
    expect(endpoint, " (nothing listens at that port)");
    (void)close(fd);

    fd = take_port(true, &port);
    (void)snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%d", port);
    expect(endpoint, " (something listens there, but does not answer as one)");
    (void)close(fd);
}

Test(endpoint, host_name_without_an_address_is_reported)
{
    expect("tcp://no-such-host.invalid:5570", " (no such address: ");
}

Test(endpoint, addresses_of_other_schemes_are_left_alone)
{
    char reason[ENDPOINT_REASON_BYTES] = "?";

    endpoint_explain("inproc://here", reason);
    cr_expect_str_eq(reason, "");
}

// The system accepts connections for it.
Test(endpoint, listener_that_says_nothing_may_be_a_halted_coordinator)
{
    char endpoint[ENDPOINT_BYTES];
    int port, fd = take_port(false, &port);

    (void)snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%d", port);
    cr_expect_not(endpoint_is_silent(endpoint));
    cr_assert_eq(listen(fd, 4), 0);
    cr_expect(endpoint_is_silent(endpoint));
    (void)close(fd);
    cr_expect_not(endpoint_is_silent("inproc://here"));
}
