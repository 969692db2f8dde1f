#include "coordinator/turn.h"

#include <inttypes.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"

enum { TELL_US = 1000000 }; // between two lines in the log

static int64_t processor_us(void)
{
    struct timespec time = {0};

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

void turn_init(struct turn *turn)
{
    *turn = (struct turn){.step = ""};
    (void)pthread_mutex_init(&turn->mutex, NULL);
}

void turn_release(struct turn *turn)
{
    (void)pthread_mutex_destroy(&turn->mutex);
}

void turn_begin(struct turn *turn, const char *step)
{
    turn->began_us = turn->step_us = clock_monotonic_us();
    turn->began_cpu_us = processor_us();
    turn->step = turn->slowest = step;
    turn->slowest_us = 0;
}

static void end_step(struct turn *turn, int64_t now_us)
{
    if (now_us - turn->step_us > turn->slowest_us) {
        turn->slowest_us = now_us - turn->step_us;
        turn->slowest = turn->step;
    }
    turn->step_us = now_us;
}

void turn_step(struct turn *turn, const char *step)
{
    end_step(turn, clock_monotonic_us());
    turn->step = step;
}

static void tell(struct turn *turn, const struct turn_report *report,
                 int64_t now_us)
{
    if (turn->logged_us != 0 && now_us - turn->logged_us < TELL_US)
        return;
    turn->logged_us = now_us;
    log_warn("slow-turn",
             "a turn of the loop took %" PRId64 " ms (%" PRId64
             " ms of processor time), %" PRId64
             " of them for %s; once is harmless, often means that this "
             "machine or its disk is too busy",
             report->wall_ms, report->cpu_ms, report->step_ms, report->step);
}

static void keep_longest(struct turn *turn, const struct turn_report *report)
{
    (void)pthread_mutex_lock(&turn->mutex);
    if (report->wall_ms > turn->longest.wall_ms)
        turn->longest = *report;
    if (report->cpu_ms > turn->most_cpu_ms)
        turn->most_cpu_ms = report->cpu_ms;
    (void)pthread_mutex_unlock(&turn->mutex);
}

void turn_end(struct turn *turn)
{
    int64_t now_us = clock_monotonic_us();
    struct turn_report report;

    end_step(turn, now_us);
    if (now_us - turn->began_us < (int64_t)1000 * TURN_SLOW_MS / 10)
        return; // far from slow: not worth reading the processor time
    report = (struct turn_report){
        .wall_ms = (now_us - turn->began_us) / 1000,
        .cpu_ms = (processor_us() - turn->began_cpu_us) / 1000,
        .step_ms = turn->slowest_us / 1000,
        .step = turn->slowest};
    keep_longest(turn, &report);
    if (report.wall_ms > TURN_SLOW_MS)
        tell(turn, &report, now_us);
}

bool turn_is_over(struct turn *turn)
{
    if (clock_monotonic_us() - turn->began_us < (int64_t)1000 * TURN_WORK_MS)
        return false;
    turn->unfinished = true;
    return true;
}

bool turn_was_unfinished(struct turn *turn)
{
    bool unfinished = turn->unfinished;

    turn->unfinished = false;
    return unfinished;
}

struct turn_report turn_longest(struct turn *turn)
{
    struct turn_report report;

    (void)pthread_mutex_lock(&turn->mutex);
    report = turn->longest;
    report.cpu_ms = turn->most_cpu_ms;
    (void)pthread_mutex_unlock(&turn->mutex);
    return report;
}
