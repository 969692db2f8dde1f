#include "search/session/task.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *const trial_kind_names[] = {
    [TRIAL_BASELINE] = "baseline",
    [TRIAL_MINIBATCH] = "minibatch",
    [TRIAL_FULL] = "full",
    NULL,
};

struct task *task_new(size_t n_items, bool traced, struct err *err)
{
    struct task *task = calloc(1, sizeof *task);
    size_t n = n_items > 0 ? n_items : 1;

    if (task == NULL) {
        err_nomem(err, "a task");
        return NULL;
    }
    task->n_items = task->run.open = task->fault_item = n_items;
    task->rows = calloc(n, sizeof *task->rows);
    task->marks = calloc(n, sizeof *task->marks);
    task->items = traced ? calloc(n, sizeof *task->items) : NULL;
    if (task->rows == NULL || task->marks == NULL ||
        (traced && task->items == NULL)) {
        err_nomem(err, "a task");
        task->n_items = 0;
        task_free(task);
        return NULL;
    }
    for (size_t i = 0; i < n_items; i++) {
        task->rows[i] = -1;
        task->marks[i].p_right = -1;
        if (traced)
            task->items[i] = TASK_ITEM_INIT(-1);
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

void task_item_release(struct task_item *item, size_t n_steps)
{
    json_decref(item->inputs);
    json_decref(item->text);
    json_decref(item->given);
    json_decref(item->outputs);
    release_steps(item->step_inputs, n_steps);
    release_steps(item->step_outputs, n_steps);
    free(item->feedback);
}

void task_free(struct task *task)
{
    if (task == NULL)
        return;
    for (size_t i = 0; task->items != NULL && i < task->n_items; i++)
        task_item_release(&task->items[i],
                          task->program == NULL ? 0 : task->program->n_steps);
    candidate_unref(task->candidate);
    free(task->items);
    free(task->rows);
    free(task->marks);
    used_calls_release(&task->calls);
    free(task);
}

// --- results ---

static void add_calls(struct task *task, struct task_mark *mark,
                      const struct used_call *calls, size_t n)
{
    mark->n_calls = (unsigned)n & 0xffff;
    for (size_t i = 0; i < n; i++)
        mark->tokens += calls[i].tokens;
    used_calls_add(&task->calls, calls, n);
}

static bool is_fault(const struct task_item *item)
{
    return item->state == ITEM_DONE && item->scored &&
           item->outcome != RUN_DONE;
}

void task_settle(struct task *task, size_t at, const struct task_item *item,
                 const struct used_call *calls, size_t n_calls)
{
    struct task_mark *mark = &task->marks[at];

    assert(at < task->n_items && task->run.open > 0);
    assert(mark->state == ITEM_OPEN && item->state != ITEM_OPEN);
    mark->state = item->state;
    mark->outcome = item->outcome;
    mark->scored = item->scored;
    mark->lenient = item->lenient != 0;
    mark->score = item->score;
    mark->p_right = item->p_right;
    add_calls(task, mark, calls, n_calls);
    if (is_fault(item) && at < task->fault_item) {
        task->fault_item = at;
        task->fault_call = item->fault_call;
    }
    task->run.open--;
}
