#include <criterion/criterion.h>

#include <errno.h>

#include "common/clock.h"
#include "common/cond.h"

// A deadline on one clock, used with a condition on the other, is either long
// past or decades away.
Test(cond, wait_lasts_as_long_as_requested, .timeout = 300)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    int64_t began = clock_monotonic_ms();

    cond_init(&cond);
    (void)pthread_mutex_lock(&mutex);
    const struct timespec until = cond_deadline(30);
    int rc = 0;
    while (rc == 0) // a wait may end without a reason
        rc = pthread_cond_timedwait(&cond, &mutex, &until);
    (void)pthread_mutex_unlock(&mutex);
    (void)pthread_cond_destroy(&cond);
    cr_expect_eq(rc, ETIMEDOUT);
    cr_expect_geq(clock_monotonic_ms() - began, 29);
}

Test(cond, deadline_counts_seconds_and_the_remainder)
{
    struct timespec soon = cond_deadline(0);
    struct timespec later = cond_deadline(3999);

    cr_expect_lt(later.tv_nsec, 1000000000L);
    cr_expect_geq((later.tv_sec - soon.tv_sec) * 1000 +
                      (later.tv_nsec - soon.tv_nsec) / 1000000,
                  3998);
}
