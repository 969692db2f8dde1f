#include "coordinator/running_job_wait.h"

#include <stdlib.h>
#include <string.h>

#include "common/last_words.h"
#include "coordinator/job_work.h"
#include "coordinator/name_list.h"
#include "coordinator/running_job_lack.h"

enum { URLS_SHOWN = 90 }; // bytes of them, in a sentence of 239

static int64_t latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// Reports a server that sent something other than an answer: it is up, and its
// own message is worth more than any advice of ours.
static void report_failing(const struct running_job *running, int64_t limit_ms,
                           struct err *err)
{
    const struct worker_fault *last = &running->engine->workers.last_fault;

    err_set(err, ERR_FAULT,
            "no call was answered for %.3g s: repair the server of worker "
            "%.30s and run the same command again; it says: %s",
            (double)limit_ms / 1000, last->worker, last->text);
    history_event(running->engine->store, running->work.job_no, "fault",
                  last->text, NULL);
}

// Reports a server of this process that is up but would not even name its
// models.
static bool report_refused(const struct running_job *running, int64_t limit_ms,
                           struct err *err)
{
    char refusal[LAST_WORDS_BYTES] = "";

    if (running->engine->refusal != NULL)
        last_words_get(running->engine->refusal, refusal);
    if (refusal[0] == '\0')
        return false;
    err_set(err, ERR_FAULT,
            "no call was answered for %.3g s: repair the model server and run "
            "the same command again; it says: %s",
            (double)limit_ms / 1000, refusal);
    history_event(running->engine->store, running->work.job_no, "fault",
                  refusal, NULL);
    return true;
}

// Reports that no server answered. A server may be up and yet fail to complete
// a reply.
static void report_unanswered(const struct running_job *running,
                              int64_t limit_ms, int64_t since, struct err *err)
{
    const struct engine *engine = running->engine;
    const struct worker_fault *last = &engine->workers.last_fault;
    bool came_close = last->ms >= since && (last->fault == FAULT_BROKEN ||
                                            last->fault == FAULT_TIMEOUT);
    char *urls = engine->servers == NULL ? NULL : strdup(engine->servers);
    err_set(
        err, ERR_FAULT,
        "no model server answered for %.3g s%s%s; start %s and run the same "
        "command again: it continues where it stopped%s%s",
        (double)limit_ms / 1000, urls == NULL ? "" : " at ",
        urls != NULL             ? name_list_cut(urls, URLS_SHOWN)
        : engine->workers.n == 0 ? ", and no worker is connected"
                                 : "",
        engine->other_servers ? "it" : "one (`ollama serve`, or a worker)",
        came_close ? "; last, " : "", came_close ? last->text : "");
    free(urls);
}

bool running_job_is_alone(const struct running_job *running)
{
    const struct job_model_pin *student = &running->work.models[ROLE_STUDENT];

    return running->spec.request->action == REQUEST_RUN &&
           running->past.wall_ms < running->spec.job->budget.max_time_ms &&
           job_work_total_paid(&running->work) == 0 &&
           !(student->bound &&
             dispatch_can_serve(running->engine->dispatch, student->number));
}

// Returns how long the job may go without an answer.
static int64_t patience(const struct running_job *running)
{
    const struct engine *engine = running->engine;
    int64_t limit = running->work.answered_ms >= 0 ? engine->wait_after_ms
                                                   : engine->wait_start_ms;
    int64_t left =
        running->spec.job->budget.max_time_ms - running->past.wall_ms;

    return running_job_is_alone(running) && left < limit ? left : limit;
}

bool running_job_watch(struct running_job *running, int64_t now,
                       struct err *err)
{
    const struct engine *engine = running->engine;
    int64_t limit = patience(running);
    int64_t since;

    if (running->tasks.first == NULL) {
        running->wait.since_ms = -1;
        return true;
    }
    if (running->wait.since_ms < 0)
        running->wait.since_ms = now;
    if (running->work.models[ROLE_STUDENT].bound)
        running_job_compare_workers(running);
    if (!running_job_has_models(running, now, err))
        return false;
    since = latest(latest(running->wait.since_ms, running->work.answered_ms),
                   engine->busy_ms);
    if (now - since < limit)
        return true;
    if (running_job_lost_models(running, err))
        return false;
    if (call_fault_kind(engine->workers.last_fault.fault)->answered &&
        engine->workers.last_fault.ms >= since)
        report_failing(running, limit, err);
    else if (!report_refused(running, limit, err))
        report_unanswered(running, limit, since, err);
    return false;
}
