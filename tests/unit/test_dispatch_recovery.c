// A fault that has passed leaves no traces. A cluster in virtual time is at
// full pace, and an outage lasts some minutes. Ten seconds after the repair the
// cluster is at full pace again, with no call parked. Two kinds of outages are
// tested: all workers are out, or one of three.

#include "dispatch/dispatch.h"

#include <string.h>

#include <criterion/criterion.h>

#include "dispatch_check.h"

enum {
    WORKERS = 3,
    SLOTS = 4,
    PLACES = SLOTS + 1,
    CALL_MS = 200,
    WAITING = 200, // calls queued at any time
    STEP_MS = 10,
    BEGIN_MS = 20000, // when the outage begins
    LASTS_MS = 180000,
    RECOVERS_MS = 10000,
    CALLS_PER_S = WORKERS * SLOTS * 1000 / CALL_MS,
};

enum outage {
    OUTAGE_FAULT,  // every call fails
    OUTAGE_HANG,   // the worker sends heartbeats and answers nothing
    OUTAGE_SILENT, // no message gets through
};

struct held_call {
    int64_t lease; // 0: free
    int64_t done_ms;
};

struct cluster {
    struct dispatch *dispatch;
    int64_t now;
    enum outage outage;
    enum call_fault fault;
    int n_out; // workers that the outage affects
    struct held_call held[WORKERS][2 * PLACES];
    int64_t last_call;
    int64_t answered;
    int64_t parked;
};

static struct cluster c;

static bool is_out(int worker)
{
    return worker < c.n_out && c.now >= BEGIN_MS && c.now < BEGIN_MS + LASTS_MS;
}

static void feed(void)
{
    struct dispatch_counts counts;

    dispatch_count(c.dispatch, &counts);
    for (size_t n = counts.queued + counts.waiting; n < WAITING; n++) {
        struct dispatch_call call = {.id = ++c.last_call,
                                     .job = 1,
                                     .model = 1,
                                     .trial = c.last_call / 50,
                                     .group = c.last_call / 50,
                                     .timeout_ms = 600000};
        cr_assert(dispatch_queue(c.dispatch, &call, c.now, NULL));
    }
}

static void take(int worker, int64_t lease)
{
    for (int i = 0; i < 2 * PLACES; i++)
        if (c.held[worker][i].lease == 0) {
            c.held[worker][i] = (struct held_call){lease, c.now + CALL_MS};
            return;
        }
    // A worker answers this to a call beyond its credit.
    dispatch_fault(c.dispatch, worker + 1, lease, FAULT_BUSY, c.now);
}

static void drop(int worker, int64_t lease)
{
    for (int i = 0; i < 2 * PLACES; i++)
        if (c.held[worker][i].lease == lease)
            c.held[worker][i].lease = 0;
}

static void act(void)
{
    struct action action;

    while (dispatch_next(c.dispatch, c.now, &action)) {
        switch (action.kind) {
        case ACTION_SEND:
            take(action.worker - 1, action.lease);
            break;
        case ACTION_CANCEL:
            drop(action.worker - 1, action.lease);
            break;
        case ACTION_PARK:
            c.parked++;
            dispatch_cancel(c.dispatch, action.call, c.now);
            break;
        case ACTION_DROP:
            break; // it greets again as soon as it can
        }
    }
}

static void join(int worker)
{
    cr_assert(dispatch_join(c.dispatch, worker + 1, SLOTS, c.now, NULL));
    cr_assert(dispatch_serves(c.dispatch, worker + 1, 1, NULL));
    memset(c.held[worker], 0, sizeof c.held[worker]);
}

static void answer(int worker, struct held_call *held)
{
    int64_t lease = held->lease;
    int64_t call;

    held->lease = 0;
    if (is_out(worker)) {
        dispatch_fault(c.dispatch, worker + 1, lease, c.fault, c.now);
        return;
    }
    if (!dispatch_done(c.dispatch, worker + 1, lease, c.now, &call))
        return;
    c.answered++;
    dispatch_credit(c.dispatch, worker + 1, lease, c.now);
}

static void work(int worker)
{
    struct dispatch_worker_view view;

    if (is_out(worker) && c.outage == OUTAGE_SILENT)
        return;
    if (!dispatch_worker_look(c.dispatch, worker + 1, &view))
        join(worker);
    if (c.now % 1000 == 0)
        dispatch_heard(c.dispatch, worker + 1, c.now);
    if (is_out(worker) && c.outage == OUTAGE_HANG)
        return;
    for (int i = 0; i < 2 * PLACES; i++)
        if (c.held[worker][i].lease != 0 && c.held[worker][i].done_ms <= c.now)
            answer(worker, &c.held[worker][i]);
}

static void run_until(int64_t end)
{
    for (; c.now < end; c.now += STEP_MS) {
        dispatch_tick(c.dispatch, c.now);
        for (int worker = 0; worker < WORKERS; worker++)
            work(worker);
        feed();
        act();
    }
    cr_assert_null(dispatch_check(c.dispatch), "%s",
                   dispatch_check(c.dispatch));
}

static void expect_recovery(enum outage outage, enum call_fault fault,
                            int n_out)
{
    struct dispatch_config config = {.liveness_ms = 3000, .hedge = true};
    int64_t before;

    memset(&c, 0, sizeof c);
    c.dispatch = dispatch_new(&config, NULL);
    cr_assert_not_null(c.dispatch);
    c.outage = outage;
    c.fault = fault;
    c.n_out = n_out;
    for (int worker = 0; worker < WORKERS; worker++)
        join(worker);
    run_until(BEGIN_MS + LASTS_MS + RECOVERS_MS);
    before = c.answered;
    run_until(c.now + 5000);

    // A worker begins the call after a finished one a step later.
    cr_expect_geq(c.answered - before, 5 * CALLS_PER_S * 9 / 10,
                  "%s, %d out: %lld calls in 5 s", call_fault_name(fault),
                  n_out, (long long)(c.answered - before));
    cr_expect_eq(c.parked, 0, "%s, %d out: %lld calls parked",
                 call_fault_name(fault), n_out, (long long)c.parked);
    dispatch_free(c.dispatch);
}

Test(dispatch_recovery, after_every_call_failed)
{
    static const enum call_fault faults[] = {
        FAULT_REFUSED, FAULT_TIMEOUT, FAULT_BUSY,    FAULT_SERVER,
        FAULT_BROKEN,  FAULT_GARBAGE, FAULT_REQUEST, FAULT_LOST};

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        expect_recovery(OUTAGE_FAULT, faults[i], 1);
        expect_recovery(OUTAGE_FAULT, faults[i], WORKERS);
    }
}

Test(dispatch_recovery, after_live_workers_gave_no_answers)
{
    expect_recovery(OUTAGE_HANG, FAULT_NONE, 1);
    expect_recovery(OUTAGE_HANG, FAULT_NONE, WORKERS);
}

Test(dispatch_recovery, after_workers_were_silent)
{
    expect_recovery(OUTAGE_SILENT, FAULT_NONE, 1);
    expect_recovery(OUTAGE_SILENT, FAULT_NONE, WORKERS);
}
