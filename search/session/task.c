#include "search/session/task.h"

#include <stdlib.h>

const char *const trial_kind_names[] = {
    [TRIAL_BASELINE] = "baseline",
    [TRIAL_MINIBATCH] = "minibatch",
    [TRIAL_FULL] = "full",
    NULL,
};

struct task *task_new(size_t n_items, struct err *err)
{
    struct task *task = calloc(1, sizeof *task);

    if (task != NULL)
        task->items = calloc(n_items > 0 ? n_items : 1, sizeof *task->items);
    if (task == NULL || task->items == NULL) {
        err_nomem(err, "a task");
        free(task);
        return NULL;
    }
    task->n_items = n_items;
    for (size_t i = 0; i < n_items; i++) {
        task->items[i].row = -1;
        task->items[i].p_right = -1;
        task->items[i].judge_noise = -1;
    }
    return task;
}

struct call_options task_options(const struct task *task)
{
    struct call_options options = task->settings.options;
    int32_t half = options.num_ctx / 2; // the prompt needs room as well
    int32_t least = half < TASK_TEXT_TOKENS ? half : TASK_TEXT_TOKENS;

    if (task->sampling.temperature >= 0)
        options.temperature = task->sampling.temperature;
    if (task->free_text && options.num_predict < least)
        options.num_predict = least;
    return options;
}

static void release_steps(json_t **values, size_t n)
{
    if (values == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        json_decref(values[i]);
    free(values);
}

static void release_item(struct task_item *item, size_t n_steps)
{
    json_decref(item->inputs);
    json_decref(item->text);
    json_decref(item->given);
    json_decref(item->outputs);
    release_steps(item->step_inputs, n_steps);
    release_steps(item->step_outputs, n_steps);
    free(item->feedback);
    free(item->calls);
}

void task_free(struct task *task)
{
    if (task == NULL)
        return;
    for (size_t i = 0; i < task->n_items; i++)
        release_item(&task->items[i], task->program->n_steps);
    candidate_unref(task->candidate);
    free(task->items);
    free(task);
}
