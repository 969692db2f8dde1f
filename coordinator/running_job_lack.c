#include "coordinator/running_job_lack.h"

#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "coordinator/job_work.h"
#include "coordinator/name_list.h"
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
    MODELS_SHOWN = 160,
    REMEDY_BYTES = 100,
    WHY_BYTES = 200,
};

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
                          : name_list_cut(list.data, MODELS_SHOWN - 2 * len));
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

bool running_job_has_models(struct running_job *running, int64_t now,
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

bool running_job_lost_models(const struct running_job *running, struct err *err)
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

// --- workers that the job does not use ---

// Whoever names a server for one job expects it to help with that one. In a
// cluster, workers with the models of other jobs are the rule.
static bool has_no_model(const struct running_job *running,
                         const struct worker_info *worker, char *why,
                         size_t size)
{
    const struct job_model *models = running->spec.job->models;
    char how[REMEDY_BYTES];

    for (int r = 0; r < ROLE_COUNT; r++)
        if (models[r].name != NULL &&
            worker_find_model(worker, models[r].name) != NULL)
            return false;
    text_print(why, size, "it has no model of the job: %s there",
               remedy(how, worker, models[ROLE_STUDENT].name));
    return running->engine->local;
}

void running_job_compare_workers(struct running_job *running)
{
    const struct workers *workers = &running->engine->workers;
    char why[WHY_BYTES];

    for (const struct worker_info *w = workers->last;
         w != NULL && w->number > running->wait.workers_seen; w = w->before) {
        if (!job_work_refuses(&running->work, w, why, sizeof why) &&
            !has_no_model(running, w, why, sizeof why))
            continue;
        text_print(running->view.note, sizeof running->view.note,
                   "worker %.40s is not used: %s", w->name, why);
        log_warn("worker-not-used", "%s: %s", running->spec.id,
                 running->view.note);
    }
    running->wait.workers_seen = workers->last_number;
}
