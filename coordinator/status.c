#include "coordinator/status.h"

#include <stdbool.h>

#include "common/clock.h"
#include "common/text.h"
#include "coordinator/job_work.h"
#include "coordinator/proof.h"
#include "dispatch/dispatch.h"

static const char *const worker_states[] = {
    [DISPATCH_WORKER_SERVING] = "serving",
    [DISPATCH_WORKER_RESTING] = "resting",
    [DISPATCH_WORKER_DRAINING] = "draining",
    [DISPATCH_WORKER_SILENT] = "silent",
};

// Writes which running job does not use the worker, and why; returns false if
// there is none.
static bool tell_misfit(const struct jobs *jobs,
                        const struct worker_info *worker, char *out,
                        size_t size)
{
    for (const struct running_job *job = jobs_first(jobs); job != NULL;
         job = running_job_next(job)) {
        const struct job_work *work =
            running_job_work_of((struct running_job *)job);
        char why[200];

        if (!job_work_refuses(work, worker, why, sizeof why))
            continue;
        text_print(out, size, "not used by job %.60s: %s", work->id, why);
        return true;
    }
    return false;
}

// Writes why the worker gets fewer calls than it could take, or none; "" if it
// does not.
static void tell_reason(const struct engine *engine, const struct jobs *jobs,
                        const struct worker_info *worker,
                        const struct dispatch_worker_view *view, char *out,
                        size_t size)
{
    out[0] = '\0';
    if (view->state == DISPATCH_WORKER_RESTING)
        text_print(out, size,
                   "%d faults in a row: it gets one call at a time until it "
                   "answers one",
                   view->n_faults);
    else if (view->state == DISPATCH_WORKER_SILENT)
        text_print(out, size, "nothing has been heard from it for %lld s",
                   (long long)(clock_monotonic_ms() - view->heard_ms) / 1000);
    else if (!tell_misfit(jobs, worker, out, size))
        (void)proofs_tell(engine, worker, out, size);
}

json_t *status_workers(const struct engine *engine, const struct jobs *jobs)
{
    json_t *list = json_array();

    for (const struct worker_info *w = engine->workers.workers; w != NULL;
         w = w->next) {
        json_t *models = json_array();
        struct dispatch_worker_view view = {.state = DISPATCH_WORKER_SERVING};
        char reason[240];

        (void)dispatch_worker_look(engine->dispatch, w->number, &view);
        tell_reason(engine, jobs, w, &view, reason, sizeof reason);
        for (size_t i = 0; i < w->n_models; i++)
            json_array_append_new(models, json_string(w->models[i].name));
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:I, s:o, s:I, s:s, s:s, s:I, s:I, s:s}",
                      "name", w->name, "state", worker_states[view.state],
                      "slots", (json_int_t)w->slots, "models", models, "calls",
                      (json_int_t)w->calls, "last_fault", w->last_fault,
                      "server", w->server, "open", (json_int_t)view.n_calls,
                      "faults", (json_int_t)w->faults, "reason", reason));
    }
    return list;
}

// Returns a fraction, or null while there is none.
static json_t *share_json(double share)
{
    return share < 0 ? json_null() : json_real(share);
}

static json_t *progress_json(const struct running_job *running, int64_t now)
{
    struct progress p = {0};

    running_job_progress(running, now, &p);
    return json_pack(
        "{s:s, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I, "
        "s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:o, s:f, s:I, s:I}",
        "job", running_job_id(running), "run", running_job_is_run(running),
        "phase", p.phase, "note", p.note, "trial", (json_int_t)p.trial,
        "trials", (json_int_t)p.trials, "done", (json_int_t)p.done, "total",
        (json_int_t)p.total, "examples", (json_int_t)p.examples, "expected",
        (json_int_t)p.expected, "share", share_json(p.share), "calls",
        (json_int_t)p.calls, "reused", (json_int_t)p.reused, "in_flight",
        (json_int_t)p.in_flight, "faults", (json_int_t)p.faults,
        "prompt_tokens", (json_int_t)p.prompt_tokens, "generated_tokens",
        (json_int_t)p.generated_tokens, "best", share_json(p.best), "low",
        share_json(p.best < 0 ? -1 : p.best_low), "high",
        share_json(p.best < 0 ? -1 : p.best_high), "best_trial",
        (json_int_t)p.best_trial, "baseline", share_json(p.baseline),
        "tokens_per_s", p.tokens_per_s, "elapsed_ms", (json_int_t)p.elapsed_ms,
        "left_ms", (json_int_t)p.left_ms);
}

static json_t *calls_json(const struct engine *engine)
{
    struct dispatch_counts counts;

    dispatch_count(engine->dispatch, &counts);
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "queued",
        (json_int_t)counts.queued, "waiting", (json_int_t)counts.waiting,
        "leased", (json_int_t)counts.leased, "parked",
        (json_int_t)counts.parked, "sent", (json_int_t)counts.sent, "faults",
        (json_int_t)counts.faults, "hedged", (json_int_t)counts.hedged,
        "model_swaps", (json_int_t)counts.swaps);
}

// Counts the workers in each state.
static json_t *worker_counts_json(const struct engine *engine)
{
    int64_t n[sizeof worker_states / sizeof *worker_states] = {0};
    json_t *counts = json_object();

    for (const struct worker_info *w = engine->workers.workers; w != NULL;
         w = w->next) {
        struct dispatch_worker_view view = {.state = DISPATCH_WORKER_SERVING};

        (void)dispatch_worker_look(engine->dispatch, w->number, &view);
        n[view.state]++;
    }
    for (size_t i = 0; i < sizeof n / sizeof *n; i++)
        (void)json_object_set_new(counts, worker_states[i], json_integer(n[i]));
    return counts;
}

json_t *status_numbers(struct engine *engine, const struct jobs *jobs)
{
    struct turn_report longest = turn_longest(&engine->turn);
    int64_t now = clock_monotonic_ms();
    json_t *running = json_array();

    for (const struct running_job *job = jobs_first(jobs); job != NULL;
         job = running_job_next(job))
        json_array_append_new(running, progress_json(job, now));
    return json_pack("{s:o, s:o, s:o, s:I, s:I}", "jobs", running, "calls",
                     calls_json(engine), "workers", worker_counts_json(engine),
                     "slots", (json_int_t)engine->workers.slots,
                     "longest_turn_ms", (json_int_t)longest.wall_ms);
}
