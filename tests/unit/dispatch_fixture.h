// dispatch_fixture: a scheduler, its clock, and all actions that it gave out,
// for the tests of dispatch/. Everything in here is static, so each test file
// includes its own copy.

#ifndef TESTS_UNIT_DISPATCH_FIXTURE_H
#define TESTS_UNIT_DISPATCH_FIXTURE_H

#include <stdio.h>

#include <criterion/criterion.h>

#include "dispatch/dispatch.h"
#include "dispatch_check.h"

// A dispatch, the clock, and all actions given out so far. Every step ends with
// a check that dispatch is sound.
enum { MAX_ACTIONS = 1024 };
static struct dispatch *dispatch;
static struct err err;
static int64_t now;
static struct action actions[MAX_ACTIONS];
static int n_actions;

enum { MODEL = 1, TIMEOUT_MS = 60000, LIVENESS_MS = 3000 };

static inline void open_with(int64_t liveness_ms, bool hedge)
{
    struct dispatch_config config = {.liveness_ms = liveness_ms,
                                     .hedge = hedge};

    dispatch_free(dispatch);
    dispatch = dispatch_new(&config, &err);
    cr_assert_not_null(dispatch, "%s", err.text);
}

static inline void open_dispatch(void)
{
    now = 1000;
    n_actions = 0;
    open_with(0, false);
}

static inline void close_dispatch(void)
{
    dispatch_free(dispatch);
    dispatch = NULL;
}

static inline void prove(void)
{
    const char *wrong = dispatch_check(dispatch);

    cr_assert_null(wrong, "%s", wrong);
}

// Takes all pending actions; returns their number.
static inline int settle(void)
{
    int before = n_actions;

    prove();
    while (dispatch_next(dispatch, now, &actions[n_actions])) {
        n_actions++;
        cr_assert_lt(n_actions, MAX_ACTIONS);
        prove();
    }
    prove();
    return n_actions - before;
}

static inline void join(int32_t worker, int slots)
{
    cr_assert(dispatch_join(dispatch, worker, slots, now, &err), "%s",
              err.text);
    cr_assert(dispatch_serves(dispatch, worker, MODEL, &err), "%s", err.text);
    prove();
}

// Adds workers 1 to n, with one slot each.
static inline void join_many(int32_t n)
{
    for (int32_t worker = 1; worker <= n; worker++)
        join(worker, 1);
}

static inline void queue_call(struct dispatch_call call)
{
    if (call.model == 0)
        call.model = MODEL;
    if (call.timeout_ms == 0)
        call.timeout_ms = TIMEOUT_MS;
    cr_assert(dispatch_queue(dispatch, &call, now, &err), "%s", err.text);
    prove();
}

static inline void queue(int64_t id)
{
    queue_call((struct dispatch_call){.id = id});
}

// Queues n calls of one trial and group, with ids from `first` on.
static inline void queue_group(int64_t first, int n, int64_t trial,
                               int64_t group)
{
    for (int i = 0; i < n; i++)
        queue_call((struct dispatch_call){
            .id = first + i, .trial = trial, .group = group});
}

static inline void pass(int64_t ms)
{
    now += ms;
    dispatch_tick(dispatch, now);
    settle();
}

// Returns the last action of this kind for the call, or NULL.
static inline const struct action *last(enum action_kind kind, int64_t call)
{
    for (int i = n_actions - 1; i >= 0; i--) {
        if (actions[i].kind == kind && actions[i].call == call)
            return &actions[i];
    }
    return NULL;
}

static inline const struct action *sent(int64_t call)
{
    const struct action *action = last(ACTION_SEND, call);

    cr_assert_not_null(action, "call %d was not sent", (int)call);
    return action;
}

static inline int times_sent(int64_t call)
{
    int times = 0;

    for (int i = 0; i < n_actions; i++)
        times += actions[i].kind == ACTION_SEND && actions[i].call == call;
    return times;
}

static inline bool done(int64_t call)
{
    struct action action = *sent(call);
    int64_t got = -1;
    bool first =
        dispatch_done(dispatch, action.worker, action.lease, now, &got);

    cr_assert(!first || got == call);
    prove();
    return first;
}

static inline void credit(int64_t call)
{
    struct action action = *sent(call);

    dispatch_credit(dispatch, action.worker, action.lease, now);
    settle();
}

static inline void answer(int64_t call)
{
    cr_assert(done(call), "the answer to call %d does not count", (int)call);
    credit(call);
}

static inline void fail(int64_t call, enum call_fault fault)
{
    struct action action = *sent(call);

    dispatch_fault(dispatch, action.worker, action.lease, fault, now);
    settle();
}

static inline struct dispatch_counts counts(void)
{
    struct dispatch_counts out;

    dispatch_count(dispatch, &out);
    return out;
}

// Teaches dispatch the model's usual time, on worker 1, the only worker so far.
static inline void teach_usual(int64_t ms)
{
    for (int64_t id = 9000; id < 9006; id++) {
        queue(id);
        settle();
        now += ms;
        answer(id);
    }
}

// Teaches dispatch that workers 1 to n, which must be all of them, take a
// second for a call and READ_MS to read a prompt first.
enum { READ_MS = 5000 };
static inline void teach_reading(int n)
{
    for (int round = 0; round < 6; round++) {
        queue_group(8000 + 100 * round, n, 0, 80);
        settle();
        now += 1000 + (round == 0 ? READ_MS : 0);
        for (int i = 0; i < n; i++)
            answer(8000 + 100 * round + i);
    }
}

#endif
