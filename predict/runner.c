#include "predict/runner.h"

#include <stdlib.h>

#include "predict/run_pool.h"

enum {
    AHEAD = 2, // open runs per slot
    POLL_MS = 1000,
    LATE_MS = 20, // when waiting for inputs as well
};

// A result that waits until those before it have been passed on.
struct kept {
    bool there;
    struct run_result result; // RUN_END_INPUT if there were no inputs
};

struct work {
    const struct runner_io *io;
    struct run_pool *pool;
    struct kept *kept; // owned; a ring: index % n_kept
    size_t n_kept;
    size_t next, delivered; // indices
    bool exhausted;
    bool waits; // the last turn found no server
};

static struct kept *kept_at(struct work *work, uint64_t index)
{
    return &work->kept[index % work->n_kept];
}

// A user may write an input, read its output and only then write the next
// input; blocking here would be a deadlock. So `next` may block only when no
// run is in progress.
static bool is_late(const struct work *work)
{
    return work->next > work->delivered && work->io->late != NULL &&
           work->io->late(work->io->user);
}

static bool has_place(const struct work *work)
{
    return !work->exhausted && work->next - work->delivered < work->n_kept;
}

static void read_inputs(struct work *work)
{
    while (has_place(work) && !is_late(work)) {
        struct kept *kept = kept_at(work, work->next);
        json_t *values = NULL;

        *kept = (struct kept){.result = {.end = RUN_END_INPUT}};
        if (!work->io->next(work->io->user, &values, &kept->result.err)) {
            work->exhausted = true;
            return;
        }
        if (values != NULL)
            run_pool_begin(work->pool, work->next, values);
        else
            kept->there = true;
        json_decref(values);
        work->next++;
    }
}

static void collect_results(struct work *work)
{
    struct run_result result;

    while (run_pool_take(work->pool, &result))
        *kept_at(work, result.tag) =
            (struct kept){.there = true, .result = result};
}

static bool deliver(struct work *work, const struct run_result *result,
                    struct err *err)
{
    struct runner_result delivered = {.index = work->delivered,
                                      .outputs = result->outputs,
                                      .repairs = result->repairs,
                                      .err = result->err};

    if (result->end != RUN_END_SERVER)
        return work->io->done(work->io->user, &delivered, err);
    *err = result->err;
    return false;
}

static bool tell_results(struct work *work, struct err *err)
{
    while (work->delivered < work->next &&
           kept_at(work, work->delivered)->there) {
        struct kept *kept = kept_at(work, work->delivered);
        bool ok = deliver(work, &kept->result, err);

        json_decref(kept->result.outputs);
        *kept = (struct kept){0};
        work->delivered++;
        if (!ok)
            return false;
    }
    return true;
}

static void report_trouble(struct work *work)
{
    const char *why = run_pool_outage(work->pool);

    if (why != NULL && !work->waits && work->io->waits != NULL)
        work->io->waits(work->io->user, why);
    work->waits = why != NULL;
}

static bool turn(struct work *work, struct err *err)
{
    read_inputs(work);
    if (run_pool_size(work->pool) > 0 &&
        !run_pool_turn(work->pool, has_place(work) ? LATE_MS : POLL_MS, err))
        return false;
    collect_results(work);
    report_trouble(work);
    return tell_results(work, err);
}

bool runner_run(const struct runner *runner, const struct runner_io *io,
                struct err *err)
{
    size_t places = (size_t)runner->slots * AHEAD;
    struct run_pool_options options = {.compiled = runner->compiled,
                                       .client = runner->client,
                                       .slots = runner->slots,
                                       .places = places,
                                       .timeout_ms = runner->timeout_ms,
                                       .patience_ms = runner->patience_ms,
                                       .allow_exec = runner->allow_exec};
    struct work work = {.io = io, .n_kept = places};
    bool ok = false;

    work.kept = calloc(places, sizeof *work.kept);
    if (work.kept == NULL)
        err_nomem(err, "the results");
    else
        work.pool = run_pool_new(&options, err);
    ok = work.pool != NULL;
    while (ok && !(work.exhausted && work.delivered == work.next))
        ok = turn(&work, err);
    for (size_t i = 0; work.kept != NULL && i < places; i++)
        json_decref(work.kept[i].result.outputs);
    run_pool_free(work.pool);
    free(work.kept);
    return ok;
}
