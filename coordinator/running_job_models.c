#include "coordinator/running_job_models.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "coordinator/model_use.h"
#include "coordinator/worker_votes.h"
#include "store/history.h"

// How long after the first worker joins before a model is decided on.
enum { VOTE_MS = 1000 };

// For a server without digests, what the job file says about its model is the
// digest.
static char *digest_text(const struct running_job *running, enum role role,
                         const char *digest, struct err *err)
{
    const struct job_model *model = &running->spec.job->models[role];
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

void running_job_unbind(struct running_job *running)
{
    for (int r = 0; r < ROLE_COUNT; r++) {
        struct job_model_pin *model = &running->work.models[r];

        if (model->bound)
            model_use_end(running->engine, model->number);
        model->bound = false;
    }
}

// Returns what workers must have besides the model.
static struct model_needs needs_of(const struct running_job *running,
                                   enum role role, const char *digest)
{
    const struct job *job = running->spec.job;
    const struct job_model *model = &job->models[role];
    struct model_needs needs = {.num_ctx = 0};

    if (role != ROLE_EMBED)
        needs = (struct model_needs){.num_ctx = model->options.num_ctx,
                                     .think = model->options.think,
                                     .format = job->settings.adapter ==
                                                   ADAPTER_JSON ||
                                               job->adapter_auto};
    workers_server(&running->engine->workers, model->name, digest, needs.server,
                   sizeof needs.server);
    return needs;
}

static bool pin(struct running_job *running, enum role role, char *digest,
                struct err *err)
{
    struct engine *engine = running->engine;
    const char *name = running->spec.job->models[role].name;
    struct job_model_pin *model = &running->work.models[role];
    const struct model_needs needs = needs_of(running, role, digest);

    model->number = model_use_begin(engine, name, digest, &needs,
                                    clock_monotonic_ms(), err);
    if (model->number < 0)
        return false;
    model->bound = true;
    model->digest = digest;
    model->met = dispatch_can_serve(engine->dispatch, model->number);
    running->facts.digests[role] = digest;
    running->facts.simulated =
        running->facts.simulated || models_is_simulated(digest);
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
static bool check_simulated(struct running_job *running,
                            const struct history_pin *pinned, struct err *err)
{
    bool stand_in = pinned->simulated;

    if (running->spec.request->simulated && !stand_in) {
        err_set(err, ERR_INPUT,
                "the job was submitted with --simulate, but the workers of "
                "this coordinator have real models: leave out --simulate, or "
                "try the job with `run --simulate`");
        return false;
    }
    if (!running->spec.request->simulated && stand_in &&
        running->view.note[0] == '\0')
        text_print(running->view.note, sizeof running->view.note, "%s",
                   "simulated: a stand-in answers, not a model");
    return true;
}

bool running_job_bind(struct running_job *running, enum role role,
                      struct err *err)
{
    struct history_pin pinned = {.role = role_names[role],
                                 .name = running->spec.job->models[role].name};
    const char *seen = NULL;
    char *digest;

    if (!has_enough_votes(running->engine))
        return false;
    seen = workers_digest(&running->engine->workers, pinned.name);
    digest = seen == NULL ? NULL : digest_text(running, role, seen, err);
    if (digest == NULL)
        return false;
    pinned.digest = digest;
    pinned.simulated = models_is_simulated(digest);
    if (check_simulated(running, &pinned, err) &&
        history_pin_model(running->engine->store, running->work.job_no, &pinned,
                          err) &&
        pin(running, role, digest, err))
        return true;
    free(digest);
    return false;
}

bool running_job_needs(const struct running_job *running,
                       const struct task *task, enum role role)
{
    if (role == task->role)
        return true;
    if (role == ROLE_EMBED)
        return running->work.vectors != NULL &&
               task->program == running->spec.job->program;
    return role == ROLE_JUDGE && task->scored &&
           metric_asks_model(running->spec.job->metric);
}
