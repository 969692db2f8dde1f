#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "common/bell.h"

static struct bell bell = BELL_NONE;
static struct err err;

static void open_bell(void)
{
    cr_assert(bell_open(&bell, "a test", &err), "%s", err.text);
}

static void close_bell(void)
{
    bell_close(&bell);
}

TestSuite(bell, .init = open_bell, .fini = close_bell);

static bool rings(void)
{
    struct pollfd look = {.fd = bell_fd(&bell), .events = POLLIN};

    return poll(&look, 1, 0) > 0;
}

Test(bell, is_readable_from_ring_until_hush)
{
    cr_expect_not(rings());
    bell_ring(&bell);
    bell_ring(&bell);
    cr_expect(rings());
    bell_clear(&bell);
    cr_expect_not(rings());
}

Test(bell, ringing_never_blocks_and_keeps_errno, .timeout = 300)
{
    errno = EDOM;
    for (int i = 0; i < 200000; i++)
        bell_ring(&bell);
    cr_expect_eq(errno, EDOM);
    bell_clear(&bell);
    cr_expect_not(rings());
}

Test(bell, is_not_inherited_by_child_programs)
{
    for (int i = 0; i < 2; i++)
        cr_expect_eq(fcntl(bell.ends[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

Test(bell, ringing_or_closing_a_closed_bell_is_harmless)
{
    bell_close(&bell);
    bell_ring(&bell);
    bell_close(&bell);
    cr_expect_eq(bell_fd(&bell), -1);
}
