#include "program/job/job.h"

#include <stdlib.h>
#include <string.h>

#include "program/graph/search_spec.h"
#include "program/job/job_reader.h"

enum { JOB_ARENA_MAX = 64 << 20 };
enum { WINDOW_DEFAULT = 4, SEED_DEFAULT = 9, SPLIT_SEED_DEFAULT = 1 };

const char *const role_names[ROLE_COUNT] = {"student", "teacher", "judge",
                                            "embed"};

struct job *job_new(const struct bundle *bundle)
{
    struct job *job = calloc(1, sizeof *job);

    if (job == NULL)
        return NULL;
    job->arena = ARENA_INIT(JOB_ARENA_MAX);
    job->path = arena_strdup(&job->arena, bundle->path);
    job->description = "";
    job->data = (struct job_data){.train_share = 0.4,
                                  .val_share = 0.4,
                                  .test_share = 0.2,
                                  .seed = SPLIT_SEED_DEFAULT};
    job->optimizer = "screen_and_race";
    job->seed = SEED_DEFAULT;
    job->window = WINDOW_DEFAULT;
    job->bootstrap_skipped = true;
    job->adapter_auto = true;
    settings_mark_all_set(&job->settings);
    if (job->path != NULL)
        return job;
    job_free(job);
    return NULL;
}

void job_settings(const struct job *job, enum role role, struct settings *out)
{
    *out = job->settings;
    out->options = job->models[role].options;
    settings_mark_all_set(out);
}

void job_free(struct job *job)
{
    if (job == NULL)
        return;
    if (job->metric != NULL)
        metric_release(job->metric);
    program_free(job->program);
    tunables_release(&job->tunables);
    arena_release(&job->arena);
    free(job);
}

bool job_step_embeds(const struct job *job, int step)
{
    const struct step *at = &job->program->steps[step];
    bool embeds =
        at->search != NULL && search_by(at, NULL) == SEARCH_BY_EMBEDDINGS;

    for (size_t t = 0; t < job->tunables.n; t++)
        embeds = embeds || (job->tunables.items[t].step == step &&
                            strcmp(job->tunables.items[t].key, "by") == 0);
    return embeds;
}

bool job_embeds(const struct job *job)
{
    if (job->program->pools_by == SEARCH_BY_EMBEDDINGS)
        return true;
    for (size_t i = 0; i < job->program->n_steps; i++)
        if (job_step_embeds(job, (int)i))
            return true;
    return false;
}
