// running_job_orders: what people ask of a running job: to end, to have another
// share of the cluster, or to be told what does not apply to it.

#include "common/buf.h"
#include "common/text.h"
#include "coordinator/running_job_state.h"
#include "store/history.h"

// Two people may end the job at the same moment, or it may end while they ask.
// A job that its coordinator interrupts will be resumed, so that is not a stop.
bool running_job_end(struct running_job *running, const struct err *why,
                     struct err *err)
{
    const struct err *first = &running->closing;

    running_job_close(running, why);
    running->work.awaits_worker = false;
    if (first->code == why->code && !running->interrupted)
        return true;
    err_set(err, ERR_INPUT, "job %.80s is already ending%s%s", running->spec.id,
            first->code == ERR_NONE ? "" : ": ", first->text);
    return false;
}

const char *running_job_changes(const struct running_job *running)
{
    return running->past.changes;
}

// asked is 0 if nothing was asked for.
static bool differs(int64_t asked, int64_t there)
{
    return asked != 0 && asked != there;
}

void running_job_tell_ignored(const struct running_job *running,
                              const struct running_job *asked, char *out,
                              size_t size)
{
    const struct job_budget *wanted = &asked->spec.job->budget;
    const struct job_budget *there = &running->spec.job->budget;
    bool share =
        differs(asked->spec.request->priority, running->work.priority) ||
        differs(asked->spec.request->max_workers,
                running->spec.request->max_workers);
    bool budget = differs(wanted->max_calls, there->max_calls) ||
                  differs(wanted->max_tokens, there->max_tokens) ||
                  differs(wanted->max_time_ms, there->max_time_ms);

    text_print(out, size, "%s%s%s%s",
               share || budget ? "the job is already running and keeps its "
                               : "",
               budget ? "budget: to change that, `promptcc stop` it and submit "
                        "it again"
                      : "",
               share && budget ? "; it keeps its " : "",
               share ? "share of the workers, which `promptcc resume` changes, "
                       "with --priority and --max-workers"
                     : "");
}

bool running_job_set_share(struct running_job *running,
                           const struct job_share *share, struct err *err)
{
    struct request *request = running->spec.request;
    struct buf options = BUF_INIT(1 << 20);
    bool ok;

    if (share->max_workers > 0 &&
        !dispatch_set_limit(running->engine->dispatch, running->work.number,
                            share->max_workers, err))
        return false;
    if (share->max_workers > 0)
        request->max_workers = share->max_workers;
    if (share->priority > 0)
        request->priority = running->work.priority = share->priority;
    ok = request_write(request, &options, err) &&
         history_put_options(running->engine->store, running->work.job_no,
                             options.data, err);
    buf_release(&options);
    return ok;
}
