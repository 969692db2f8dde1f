#include "coordinator/running_job_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/last_words.h"
#include "common/log.h"
#include "common/text.h"
#include "common/utf8.h"
#include "coordinator/job_work.h"
#include "coordinator/running_job_models.h"
#include "coordinator/worker_votes.h"

// Workers that start together may join some moments apart, so a model is
// reported as missing only after this long.
enum { WORKERS_GRACE_MS = 3000 };

// The same for a model that the job has worked with before: its workers come
// back within 5 s after a restart, and workers with another model may come
// first.
enum { RETURN_GRACE_MS = 6000 };

// A sentence has 239 bytes; lists of names get what its own words leave.
enum {
    LIST_MAX_BYTES = 1 << 16,
    URLS_SHOWN = 90,
    MODELS_SHOWN = 160,
    REMEDY_BYTES = 100,
    WHY_BYTES = 200,
};

// Cuts "a, b, c" to at most max bytes, between two names: "a, b, ...".
static const char *shorten(char *list, size_t max)
{
    static const char more[] = ", ...";
    size_t room = max - (sizeof more - 1);
    size_t at = room;

    if (list == NULL || strlen(list) <= max)
        return list;
    while (at > 0 && strncmp(list + at, ", ", 2) != 0)
        at--;
    strcpy(list + (at > 0 ? at : utf8_cut(list, room)), more);
    return list;
}

// Says how to make a server serve a model: only Ollama pulls models itself.
static const char *remedy(char out[REMEDY_BYTES],
                          const struct worker_info *worker, const char *name)
{
    if (worker == NULL || strncmp(worker->server, "ollama", 6) == 0)
        text_print(out, REMEDY_BYTES, "run `ollama pull %.60s`", name);
    else
        text_print(out, REMEDY_BYTES, "start its server with that model");
    return out;
}

static void report_missing(const struct workers *workers, const char *name,
                           struct err *err)
{
    struct buf list = BUF_INIT(LIST_MAX_BYTES);
    size_t len = strlen(name) < 60 ? strlen(name) : 60;
    char how[REMEDY_BYTES];

    workers_list_models(workers, name, &list);
    err_set(err, ERR_INPUT,
            "no worker has the model `%.60s`: %s there, or choose among: %s",
            name, remedy(how, workers->workers, name),
            list.len == 0 ? "(none)"
                          : shorten(list.data, MODELS_SHOWN - 2 * len));
    buf_release(&list);
}

// Returns true if none of the workers that have the model can be used: too
// little room, another kind of server, or a proof that failed.
static bool no_worker_fits(const struct running_job *running, enum role role,
                           struct err *err)
{
    const struct engine *engine = running->engine;
    const struct model_entry *model =
        &engine->models.entries[running->work.models[role].number];
    char why[WHY_BYTES] = "";

    for (const struct worker_info *w = engine->workers.workers; w != NULL;
         w = w->next) {
        char words[WHY_BYTES] = "";

        if (worker_fits(w, model, words, sizeof words) &&
            !proofs_tell(engine, w, words, sizeof words))
            return false;
        if (words[0] != '\0')
            text_print(why, sizeof why, "%.50s: %s", w->name, words);
    }
    if (why[0] == '\0')
        return false;
    err_set(err, ERR_INPUT, "no worker can be used for this job; %s", why);
    return true;
}

// Returns true if nobody has the model, or only with another digest. Returns
// false if all is well, and also while the workers that had it are lost, since
// they may come back.
static bool model_is_wrong(struct running_job *running, enum role role,
                           struct err *err)
{
    const struct workers *workers = &running->engine->workers;
    struct job_model_pin *model = &running->work.models[role];
    const char *name = running->spec.job->models[role].name;
    const char *seen = NULL;

    if (model->bound &&
        dispatch_can_serve(running->engine->dispatch, model->number)) {
        model->met = true;
        return false;
    }
    seen = workers_digest(workers, name);
    if (seen == NULL && model->met)
        return false;
    if (seen == NULL) {
        report_missing(workers, name, err);
        return true;
    }
    if (!model->bound)
        return false;
    if (models_digest_fits(model->digest, seen))
        return no_worker_fits(running, role, err);
    err_set(err, ERR_INPUT,
            "model `%.40s` is not the one that this job began with (pinned "
            "%.24s, now %.24s): bring that one back, or start "
            "over with another --store",
            name, model->digest, seen);
    return true;
}

// A job that was fine when it began does not become wrong because other workers
// are connected now: it waits for its own, and then pauses until another worker
// joins. What `run` does in its own process ends with the process, so there the
// error is reported at once.
static bool may_wait_for_workers(const struct running_job *running,
                                 enum role role)
{
    const struct job_model_pin *model = &running->work.models[role];

    return !running->engine->local && model->bound &&
           (model->met || model->past);
}

// If a worker has another model under the job's name, says why it gets no
// calls, and what to do about it.
static void compare_worker(struct running_job *running,
                           const struct worker_info *worker)
{
    for (int r = 0; r < ROLE_COUNT; r++) {
        const struct job_model_pin *model = &running->work.models[r];
        char why[WHY_BYTES] = "";

        if (!model->bound ||
            worker_fits(worker, &running->engine->models.entries[model->number],
                        why, sizeof why) ||
            why[0] == '\0')
            continue;
        text_print(running->view.note, sizeof running->view.note,
                   "worker %.40s is not used: %s", worker->name, why);
        log_warn("worker-not-used", "%s: %s", running->spec.id,
                 running->view.note);
        return;
    }
}

static void compare_new_workers(struct running_job *running)
{
    const struct workers *workers = &running->engine->workers;

    if (running->wait.workers_seen == workers->last_number)
        return;
    for (const struct worker_info *w = workers->last;
         w != NULL && w->number > running->wait.workers_seen; w = w->before)
        compare_worker(running, w);
    running->wait.workers_seen = workers->last_number;
}

// Returns true if the job has to end because the model is missing. quiet_ms:
// for how long there have been workers.
static bool must_end_for(struct running_job *running, enum role role,
                         int64_t quiet_ms, struct err *err)
{
    struct err why = ERR_CLEAR;
    bool waits = may_wait_for_workers(running, role);

    if ((waits && quiet_ms < RETURN_GRACE_MS) ||
        !model_is_wrong(running, role, &why))
        return false;
    *err = why;
    if (waits)
        err->code = ERR_FAULT;
    return true;
}

// Returns true if a model that the task needs is missing, or is another one.
static bool lacks_model(struct running_job *running, const struct task *task,
                        int64_t quiet_ms, struct err *err)
{
    for (int r = 0; r < ROLE_COUNT; r++)
        if (running_job_needs(running, task, (enum role)r) &&
            must_end_for(running, (enum role)r, quiet_ms, err))
            return true;
    return false;
}

static bool models_are_available(struct running_job *running, int64_t now,
                                 struct err *err)
{
    const struct workers *workers = &running->engine->workers;

    int64_t quiet_ms = now - workers->joined_ms;

    if (workers->n == 0 || quiet_ms < WORKERS_GRACE_MS)
        return true;
    for (const struct task *t = running->tasks.first; t != NULL;
         t = t->run.next)
        if (t->run.known == t->n_items && t->run.open > 0 &&
            lacks_model(running, t, quiet_ms, err))
            return false;
    return true;
}

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
        urls != NULL             ? shorten(urls, URLS_SHOWN)
        : engine->workers.n == 0 ? ", and no worker is connected"
                                 : "",
        engine->other_servers ? "it" : "one (`ollama serve`, or a worker)",
        came_close ? "; last, " : "", came_close ? last->text : "");
    free(urls);
}

// Reports that workers are connected, but none of them serves a model of the
// job any more.
static bool report_unserved(const struct running_job *running, struct err *err)
{
    const struct engine *engine = running->engine;

    for (int r = 0; r < ROLE_COUNT; r++) {
        const struct job_model_pin *model = &running->work.models[r];
        const char *name = running->spec.job->models[r].name;

        if (engine->workers.n == 0 || !model->bound || !model->met ||
            dispatch_can_serve(engine->dispatch, model->number))
            continue;
        if (workers_digest(&engine->workers, name) == NULL)
            report_missing(&engine->workers, name, err);
        else if (!no_worker_fits(running, (enum role)r, err))
            continue;
        err->code = ERR_FAULT; // the job was fine when it began
        return true;
    }
    return false;
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
        compare_new_workers(running);
    if (!models_are_available(running, now, err))
        return false;
    since = latest(latest(running->wait.since_ms, running->work.answered_ms),
                   engine->busy_ms);
    if (now - since < limit)
        return true;
    if (report_unserved(running, err))
        return false;
    if (call_fault_kind(engine->workers.last_fault.fault)->answered &&
        engine->workers.last_fault.ms >= since)
        report_failing(running, limit, err);
    else if (!report_refused(running, limit, err))
        report_unanswered(running, limit, since, err);
    return false;
}
