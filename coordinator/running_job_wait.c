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
#include "store/history.h"

// Workers that start together may join some moments apart, so a model is
// reported as missing only after this long.
enum { WORKERS_GRACE_MS = 3000 };

// The same for a model that the job has worked with before: its workers come
// back within 5 s after a restart, and workers with another model may come
// first.
enum { RETURN_GRACE_MS = 6000 };

// How long after the first worker joins before a model is decided on.
enum { VOTE_MS = 1000 };

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

// For a server without digests, what the job file says about its model is the
// digest.
static char *digest_text(const struct running_job *running, enum role role,
                         const char *digest, struct err *err)
{
    const struct job_model *model = &running->job->models[role];
    char *copy = NULL;
    char text[256];

    if (models_worker_digest(digest)[0] == '\0' && model->revision == NULL) {
        err_set(err, ERR_INPUT,
                "the server of model `%s` reports no digest, so a change of "
                "the model would go unnoticed: set `revision: NAME` under "
                "`models` in the job file",
                model->name);
        return NULL;
    }
    if (models_worker_digest(digest)[0] == '\0') {
        text_print(text, sizeof text, "%.20s" MODELS_REVISION "%.200s", digest,
                   model->revision);
        digest = text;
    }
    copy = strdup(digest);
    if (copy == NULL)
        err_nomem(err, "a model's digest");
    return copy;
}

// Call when the job no longer needs the model's number; if no other job needs
// it, the number is released.
static void unpin(struct running_job *running, enum role role)
{
    struct engine *engine = running->engine;
    struct job_model_pin *model = &running->work.models[role];

    if (!model->bound)
        return;
    model->bound = false;
    // While calls of the model are in flight, the number stays taken.
    if (engine->models.entries[model->number].users > 1 ||
        dispatch_forget_model(engine->dispatch, model->number)) {
        if (engine->models.entries[model->number].users == 1)
            proofs_forget_model(engine, model->number);
        models_drop(&engine->models, model->number);
    }
}

void running_job_unbind(struct running_job *running)
{
    for (int r = 0; r < ROLE_COUNT; r++)
        unpin(running, (enum role)r);
}

// Notes what workers must have besides the model. If several jobs use one
// model, the needs of the first one count.
static void note_needs(const struct running_job *running, enum role role,
                       const char *digest)
{
    const struct job *job = running->job;
    const struct job_model *model = &job->models[role];
    const struct engine *engine = running->engine;
    struct model_entry *entry =
        &engine->models.entries[running->work.models[role].number];

    // What it embeds may be shorter than its window, and it writes no text.
    if (role == ROLE_EMBED)
        workers_server(&engine->workers, model->name, digest,
                       entry->needs.server, sizeof entry->needs.server);
    if (role == ROLE_EMBED || entry->needs.num_ctx > 0)
        return;
    entry->needs = (struct model_needs){
        .num_ctx = model->options.num_ctx,
        .think = model->options.think,
        .format = job->settings.adapter == ADAPTER_JSON || job->adapter_auto};
    workers_server(&engine->workers, model->name, digest, entry->needs.server,
                   sizeof entry->needs.server);
}

static bool pin(struct running_job *running, enum role role, char *digest,
                struct err *err)
{
    struct engine *engine = running->engine;
    const char *name = running->job->models[role].name;
    struct job_model_pin *model = &running->work.models[role];

    model->number = models_use(&engine->models, name, digest, err);
    if (model->number < 0)
        return false;
    model->bound = true;
    note_needs(running, role, digest);
    if (!workers_serve(&engine->workers, &engine->models, model->number,
                       engine->dispatch, err)) {
        unpin(running, role);
        return false;
    }
    proofs_expect_model(engine, model->number, clock_monotonic_ms());
    model->digest = digest;
    model->met = dispatch_can_serve(engine->dispatch, model->number);
    running->facts.digests[role] = digest;
    running->facts.simulated =
        running->facts.simulated || models_simulated(digest);
    return true;
}

bool running_job_bind_pinned(struct running_job *running, struct err *err)
{
    for (int r = 0; r < ROLE_COUNT; r++) {
        char *digest = running->past.digests[r];

        if (digest[0] == '\0')
            continue;
        if (!pin(running, (enum role)r, digest, err))
            return false;
        running->past.digests[r] = NULL; // it belongs to the model now
        running->work.models[r].past = true;
    }
    return true;
}

// Returns how many model servers this process itself asks.
static size_t count_servers(const char *servers)
{
    size_t n = servers == NULL ? 0 : 1;

    for (; n > 0 && *servers != '\0'; servers++)
        n += *servers == ',';
    return n;
}

// Returns true if enough workers have joined to decide on a model. Workers that
// start together join some moments apart, and the first one may be the odd one
// out; the model is what most of them have. A process that asks model servers
// itself knows how many workers to expect.
static bool has_enough_votes(const struct engine *engine)
{
    const struct workers *workers = &engine->workers;
    size_t expected = count_servers(engine->servers);

    return (expected > 0 && workers->n >= expected) ||
           (workers->n > 0 &&
            clock_monotonic_ms() - workers->joined_ms >= VOTE_MS);
}

// A job that was submitted with --simulate is not answered by a real model,
// because its scores would be stored as those of a simulated server. The
// reverse is how people try out a cluster; then everything that shows the job
// says so.
static bool check_simulated(struct running_job *running, const char *digest,
                            struct err *err)
{
    bool stand_in = models_simulated(digest);

    if (running->request->simulated && !stand_in) {
        err_set(err, ERR_INPUT,
                "the job was submitted with --simulate, but the workers of "
                "this coordinator have real models: leave out --simulate, or "
                "try the job with `run --simulate`");
        return false;
    }
    if (running->request->simulated || !stand_in)
        return true;
    if (running->note[0] == '\0')
        text_print(running->note, sizeof running->note, "%s",
                   "simulated: a stand-in answers, not a model");
    return history_job_simulated(running->engine->store, running->work.job_no,
                                 err);
}

bool running_job_bind(struct running_job *running, enum role role,
                      struct err *err)
{
    const char *name = running->job->models[role].name;
    const char *seen = NULL;
    char *digest;

    if (!has_enough_votes(running->engine))
        return false;
    seen = workers_digest(&running->engine->workers, name);
    digest = seen == NULL ? NULL : digest_text(running, role, seen, err);
    if (digest == NULL)
        return false;
    if (check_simulated(running, digest, err) &&
        history_pin_model(running->engine->store, running->work.job_no,
                          role_names[role], name, digest, err) &&
        pin(running, role, digest, err))
        return true;
    free(digest);
    return false;
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
    const char *name = running->job->models[role].name;
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
    if (models_fits(model->digest, seen))
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
        text_print(running->note, sizeof running->note,
                   "worker %.40s is not used: %s", worker->name, why);
        log_warn("worker-not-used", "%s: %s", running->id, running->note);
        return;
    }
}

static void compare_new_workers(struct running_job *running)
{
    const struct workers *workers = &running->engine->workers;

    if (running->workers_seen == workers->last_number)
        return;
    for (const struct worker_info *w = workers->last;
         w != NULL && w->number > running->workers_seen; w = w->before)
        compare_worker(running, w);
    running->workers_seen = workers->last_number;
}

bool running_job_needs(const struct running_job *running,
                       const struct task *task, enum role role)
{
    if (role == task->role)
        return true;
    if (role == ROLE_EMBED)
        return running->work.vectors != NULL &&
               task->program == running->job->program;
    return role == ROLE_JUDGE && task->scored &&
           metric_asks_model(running->job->metric);
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
    for (const struct task *t = running->tasks.first; t != NULL; t = t->next)
        if (t->known == t->n_items && t->open > 0 &&
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
    history_event(running->engine->store, running->work.job_no, "fault", -1,
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
    history_event(running->engine->store, running->work.job_no, "fault", -1,
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
        const char *name = running->job->models[r].name;

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

    return running->request->action == REQUEST_RUN &&
           running->wall_before_ms < running->job->budget.max_time_ms &&
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
    int64_t left = running->job->budget.max_time_ms - running->wall_before_ms;

    return running_job_is_alone(running) && left < limit ? left : limit;
}

bool running_job_watch(struct running_job *running, int64_t now,
                       struct err *err)
{
    const struct engine *engine = running->engine;
    int64_t limit = patience(running);
    int64_t since;

    if (running->tasks.first == NULL) {
        running->waiting_ms = -1;
        return true;
    }
    if (running->waiting_ms < 0)
        running->waiting_ms = now;
    if (running->work.models[ROLE_STUDENT].bound)
        compare_new_workers(running);
    if (!models_are_available(running, now, err))
        return false;
    since = latest(latest(running->waiting_ms, running->work.answered_ms),
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
