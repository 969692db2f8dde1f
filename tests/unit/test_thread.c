#include <criterion/criterion.h>

#include <signal.h>

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
