#include "coordinator/prompt_prefixes.h"

#include <stdlib.h>

#include "common/buf.h"
#include "coordinator/flight.h"
#include "program/graph/candidate.h"
#include "program/metric/metric.h"
#include "program/prompt/prompt.h"

// Finds or makes the engine's prefix with that text and format. Takes the
// contents of both buffers.
static struct prefix *share(struct job_work *work, struct buf *text,
                            struct buf *format, struct err *err)
{
    size_t len = text->len;
    char *form = format->len == 0 ? NULL : buf_take(format);

    return flights_prefix(&work->engine->flights, buf_take(text), len, form,
                          err);
}

// --- of a task ---

static size_t count_of(const struct task *task)
{
    return task->program->n_steps * ADAPTER_COUNT;
}

bool prompt_prefixes_open(struct task *task, struct err *err)
{
    task->run.prefixes = calloc(count_of(task), sizeof *task->run.prefixes);
    if (task->run.prefixes == NULL)
        err_nomem(err, "a task");
    return task->run.prefixes != NULL;
}

void prompt_prefixes_close(struct engine *engine, struct task *task)
{
    if (task->run.prefixes == NULL)
        return;
    for (size_t i = 0; i < count_of(task); i++)
        if (task->run.prefixes[i] != NULL)
            prefix_unref(&engine->flights, task->run.prefixes[i]);
    free(task->run.prefixes);
    task->run.prefixes = NULL;
}

// Renders the beginning of a step's prompts with the part's demos and the
// output format of that form of answer. Returns NULL on failure.
static struct prefix *render_prefix(struct job_work *work,
                                    const struct task *task,
                                    const struct step *step,
                                    const struct candidate_part *part,
                                    enum adapter form, struct err *err)
{
    struct prefix *prefix = NULL;
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES);
    struct buf format = BUF_INIT(PROMPT_MAX_BYTES);

    if (prompt_prefix(step, part, task->settings.adapter, &text, err) &&
        prompt_format(step, form, &format, err))
        prefix = share(work, &text, &format, err);
    buf_release(&text);
    buf_release(&format);
    return prefix;
}

// The same for a row that is one of the part's demos (candidate_part_for).
static struct prefix *prefix_without(struct job_work *work,
                                     const struct task *task,
                                     const struct step *step, int row,
                                     enum adapter form, struct err *err)
{
    const struct candidate_part *part =
        &task->candidate->parts[step->predictor];
    struct demo *others = calloc(part->n_demos, sizeof *others);
    struct candidate_part seen;
    struct prefix *prefix = NULL;

    if (others == NULL) {
        err_nomem(err, "a prompt");
        return NULL;
    }
    seen = candidate_part_for(part, row, others);
    prefix = render_prefix(work, task, step, &seen, form, err);
    free(others);
    return prefix;
}

struct prefix *prompt_prefixes_step(struct job_work *work, struct task *task,
                                    int step, int row, enum adapter form,
                                    struct err *err)
{
    struct prefix **prefix =
        &task->run.prefixes[step * ADAPTER_COUNT + (int)form];
    const struct step *s = &task->program->steps[step];
    const struct candidate_part *part = &task->candidate->parts[s->predictor];

    if (candidate_part_has(part, row))
        return prefix_without(work, task, s, row, form, err);
    if (*prefix == NULL)
        *prefix = render_prefix(work, task, s, part, form, err);
    if (*prefix != NULL)
        (*prefix)->references++;
    return *prefix;
}

// --- of a job ---

struct prefix *prompt_prefixes_metric(struct job_work *work, size_t part,
                                      struct err *err)
{
    struct prefix **prefix = &work->metric_prefixes[part];
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES);
    struct buf format = BUF_INIT(PROMPT_MAX_BYTES);

    if (*prefix == NULL &&
        metric_prefix(work->job->metric, part, &text, &format, err))
        *prefix = share(work, &text, &format, err);
    buf_release(&text);
    buf_release(&format);
    return *prefix;
}

struct prefix *prompt_prefixes_embed(struct job_work *work, struct err *err)
{
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES);
    struct buf no_format = BUF_INIT(0);

    if (work->embed_prefix != NULL)
        return work->embed_prefix;
    buf_puts(&text, ASK_EMBED_PREFIX);
    if (buf_ok(&text, "a prompt", err))
        work->embed_prefix = share(work, &text, &no_format, err);
    buf_release(&text);
    return work->embed_prefix;
}

void prompt_prefixes_release(struct job_work *work)
{
    struct flights *flights = &work->engine->flights;

    if (work->embed_prefix != NULL)
        prefix_unref(flights, work->embed_prefix);
    for (size_t i = 0; i < METRIC_MAX_OUTSIDE; i++)
        if (work->metric_prefixes[i] != NULL)
            prefix_unref(flights, work->metric_prefixes[i]);
}
