#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string.h>

#include "worker/guest.h"

static struct err err;

static void set_up(void)
{
    err = ERR_CLEAR;
}

TestSuite(guest, .init = set_up, .timeout = 300);

static bool holds(const char *text, int hour, int minute)
{
    struct guest_hours hours;

    cr_assert(guest_hours_parse(text, &hours, &err), "%s", err.text);
    return guest_hours_include(&hours, hour * 60 + minute);
}

Test(guest, hours_may_go_over_midnight)
{
    cr_expect(holds("20-08", 23, 0));
    cr_expect(holds("20-08", 7, 59));
    cr_expect_not(holds("20-08", 8, 0));
    cr_expect_not(holds("20-08", 19, 59));
    cr_expect(holds("20-08", 20, 0));
    cr_expect(holds("9-17", 9, 0));
    cr_expect_not(holds("9-17", 17, 0));
    cr_expect(holds("18:30-7", 18, 30));
    cr_expect_not(holds("18:30-7", 18, 29));
    cr_expect(holds("8-8", 3, 0));
    cr_expect(holds("20-24", 23, 59));
    cr_expect_not(holds("20-24", 0, 0));
}

Test(guest, invalid_time_of_day_is_refused)
{
    static const char *const bad[] = {"",     "20",    "20-",     "-8",
                                      "25-8", "20-8x", "20:60-8", "24:30-8",
                                      "a-b",  "20:-8", "20--8",   "2 0-8"};
    struct guest_hours hours;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = ERR_CLEAR;
        cr_expect_not(guest_hours_parse(bad[i], &hours, &err), "%s", bad[i]);
        cr_expect_eq(err.code, ERR_INPUT);
    }
}

// Port 11434 (2CAA) has a listener and two connections. One end of the first
// connection is our socket 501; the second one's, 777, is not ours.
static const char table[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
    "retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 "
    "00000000     0        0 100 1 0000000000000000 100 0 0 10 0\n"
    "   1: 0100007F:2CAA 0100007F:9C40 01 00000000:00000000 00:00000000 "
    "00000000     0        0 400 1 0000000000000000 20 4 30 10 -1\n"
    "   2: 0100007F:9C40 0100007F:2CAA 01 00000000:00000000 00:00000000 "
    "00000000     0        0 501 1 0000000000000000 20 4 30 10 -1\n"
    "   3: 0100007F:2CAA 0100007F:9C41 01 00000000:00000000 00:00000000 "
    "00000000     0        0 401 1 0000000000000000 20 4 30 10 -1\n"
    "   4: 0100007F:9C41 0100007F:2CAA 01 00000000:00000000 00:00000000 "
    "00000000     0        0 777 1 0000000000000000 20 4 30 10 -1\n"
    "   5: 0100007F:2CAA 0100007F:9C42 06 00000000:00000000 03:00000000 "
    "00000000     0        0 0 3 0000000000000000\n";

static bool is_501(void *user, uint64_t inode)
{
    (void)user;
    return inode == 501;
}

static bool is_ours(void *user, uint64_t inode)
{
    (void)user;
    return inode == 501 || inode == 777;
}

Test(guest, connections_of_other_users_are_distinguished_from_ours)
{
    cr_expect_eq(guest_count_others(table, 11434, is_501, NULL), 1);
    cr_expect_eq(guest_count_others(table, 11434, is_ours, NULL), 0);
    cr_expect_eq(guest_count_others(table, 8080, is_501, NULL), 0);
    cr_expect_eq(guest_count_others("", 11434, is_501, NULL), 0);
    cr_expect_eq(guest_count_others("nonsense\n:::\n", 11434, is_501, NULL), 0);
}

Test(guest, worker_without_guest_rules_may_always_work)
{
    struct guest guest = {.port = 1};

    cr_expect_null(guest_refusal(&guest, 0));
}

// --- our own connection ---

// Listens for both families, as a server does that is told 0.0.0.0. Returns -1
// on a machine without IPv6.
static int listen_for_both(struct sockaddr_in6 *address)
{
    socklen_t len = sizeof *address;
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                     .sin6_addr = IN6ADDR_ANY_INIT};
    if (fd >= 0 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int)) ==
            0 &&
        bind(fd, (struct sockaddr *)address, len) == 0 && listen(fd, 1) == 0 &&
        getsockname(fd, (struct sockaddr *)address, &len) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

// The kernel lists the server's end among those of IPv6, and ours among those
// of IPv4.
Test(guest, our_connection_to_a_server_of_both_families_is_ours)
{
    struct sockaddr_in6 both;
    struct sockaddr_in to = {.sin_family = AF_INET};
    int listener = listen_for_both(&both);
    int ours, theirs;

    if (listener < 0)
        cr_skip_test("no IPv6 here");
    to.sin_port = both.sin6_port;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(ours, (struct sockaddr *)&to, sizeof to), 0);
    theirs = accept(listener, NULL, NULL);
    cr_assert_geq(theirs, 0);

    struct guest guest = {
        .yields = true, .most_load = 1000000, .port = ntohs(both.sin6_port)};
    cr_expect_null(guest_refusal(&guest, 0), "%s", guest.why);
    close(theirs);
    close(ours);
    close(listener);
}
