#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common/thread.h"

static void *look_at_mask(void *user)
{
    (void)pthread_sigmask(SIG_SETMASK, NULL, user);
    return NULL;
}

Test(thread, blocks_signals_so_that_its_creator_receives_them)
{
    struct err err = ERR_CLEAR;
    pthread_t thread;
    sigset_t mask;

    cr_assert(thread_start(&thread, look_at_mask, &mask, "a test", &err), "%s",
              err.text);
    cr_expect_eq(pthread_join(thread, NULL), 0);
    cr_expect_eq(sigismember(&mask, SIGTERM), 1);
    cr_expect_eq(sigismember(&mask, SIGPIPE), 1);
    look_at_mask(&mask);
    cr_expect_eq(sigismember(&mask, SIGTERM), 0);
}

Test(thread, tells_which_limits_to_look_at)
{
    struct err err = ERR_CLEAR;

    cr_expect(thread_has_room(2, "a test", &err), "%s", err.text);
    thread_refused("a test", EAGAIN, &err);
    cr_expect_eq(err.code, ERR_IO);
    cr_expect_not_null(strstr(err.text, "ulimit -v"), "%s", err.text);
}
