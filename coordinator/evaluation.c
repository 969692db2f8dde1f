#include "coordinator/evaluation.h"

#include <assert.h>
#include <stdlib.h>

#include "coordinator/evaluation_answers.h"
#include "coordinator/evaluation_calls.h"
#include "coordinator/evaluation_questions.h"
#include "coordinator/evaluation_result.h"
#include "program/run/question_cache.h"

struct job_work *evaluation_work(const struct evaluation *evaluation)
{
    return evaluation->work;
}

const struct task_item *evaluation_item(const struct evaluation *evaluation)
{
    return evaluation->item;
}

static void link_in(struct evaluation *ev)
{
    struct job_work *work = ev->work;

    ev->next = work->evaluations;
    if (ev->next != NULL)
        ev->next->previous = ev;
    work->evaluations = ev;
    work->active++;
}

void evaluation_drop(struct evaluation *ev)
{
    struct job_work *work = ev->work;

    evaluation_release_item(ev);
    if (ev->previous != NULL)
        ev->previous->next = ev->next;
    else
        work->evaluations = ev->next;
    if (ev->next != NULL)
        ev->next->previous = ev->previous;
    work->active--;
    stepper_free(ev->stepper);
    for (size_t i = 0; i < ev->n_picking; i++)
        free(ev->picking[i].near);
    free(ev->picking);
    for (size_t i = 0; i < ev->n_outside; i++)
        score_release(&ev->outside[i]);
    free(ev->outside);
    free(ev);
}

// --- the end of a run ---

// Asks what the metric needs to know from outside, which may be nothing.
static bool begin_judging(struct evaluation *ev, struct err *err)
{
    size_t n = metric_ask_count(ev->work->job->metric);
    bool ok = true;

    ev->judging = true;
    if (n == 0)
        return true;
    ev->outside = calloc(n, sizeof *ev->outside);
    if (ev->outside == NULL) {
        err_nomem(err, "an evaluation");
        return false;
    }
    ev->n_outside = ev->outside_missing = n;
    for (size_t i = 0; ok && i < ev->n_outside && ev->task != NULL; i++)
        ok = evaluation_ask_metric(ev, i, err);
    return ok;
}

// A model fault scores 0. An item that is only run, not scored, just ends.
static bool end_run(struct evaluation *ev, struct err *err)
{
    if (!ev->task->scored)
        return evaluation_finish(ev, err);
    if (stepper_outcome(ev->stepper) != RUN_DONE)
        return evaluation_score_fault(ev, err);
    return begin_judging(ev, err) &&
           (ev->task == NULL || ev->outside_missing > 0 ||
            evaluation_judge(ev, err));
}

// --- advancing ---

// Advances as far as the available answers allow.
static bool advance(struct evaluation *ev, struct err *err)
{
    struct ask wanted;
    struct err why = ERR_CLEAR;

    if (ev->judging)
        return ev->outside_missing > 0 || evaluation_judge(ev, err);
    while (stepper_next(ev->stepper, &wanted, &why)) {
        if (!evaluation_ask_step(ev, &wanted, err))
            return false;
        if (ev->task == NULL)
            return true;
    }
    if (why.code != ERR_NONE) {
        *err = why;
        return false;
    }
    return !stepper_ended(ev->stepper) || end_run(ev, err);
}

// A finished evaluation is dropped once no flight can come back to it.
static void drop_if_over(struct evaluation *ev)
{
    if (ev->task == NULL && ev->waiting == 0)
        evaluation_drop(ev);
}

static bool give_steps(struct evaluation *ev, struct err *err)
{
    const struct program *program = ev->task->program;
    const char *name;
    json_t *outputs;

    json_object_foreach(ev->item->given, name, outputs) {
        int step = program_find_step(program, name);

        if (step >= 0 && !stepper_give(ev->stepper, step, outputs, err))
            return false;
    }
    return true;
}

// All trials score the same rows, and so ask the same questions about them if
// they run the job's program. When out of memory, each trial makes its own.
static void share_questions(struct evaluation *ev)
{
    struct job_work *work = ev->work;

    if (ev->task->items != NULL || ev->task->program != work->job->program)
        return;
    if (work->questions == NULL)
        work->questions = question_cache_new();
    stepper_share(ev->stepper, work->questions, (size_t)ev->item->row);
}

static bool start_run(struct evaluation *ev, struct err *err)
{
    const struct task *task = ev->task;

    ev->stepper = stepper_new(task->program, task->plan, task->settings.adapter,
                              task->candidate->values, ev->item->inputs, err);
    if (ev->stepper == NULL)
        return false;
    share_questions(ev);
    return give_steps(ev, err) && advance(ev, err);
}

// Runs bring their items along; the item of a row to score is made here.
static bool take_item(struct evaluation *ev, struct err *err)
{
    int32_t row = ev->task->rows[ev->at];
    struct row both;

    if (ev->task->items != NULL) {
        ev->item = &ev->task->items[ev->at];
        return true;
    }
    ev->own = TASK_ITEM_INIT(row);
    ev->item = &ev->own;
    if (!dataset_row(ev->work->dataset, (size_t)row, &both)) {
        err_nomem(err, "an example");
        return false;
    }
    ev->own.inputs = both.inputs;
    ev->example = both.fields;
    return true;
}

bool evaluation_start(struct job_work *work, struct task *task, size_t at,
                      struct err *err)
{
    struct evaluation *ev = malloc(sizeof *ev);
    bool ok;

    if (ev == NULL) {
        err_nomem(err, "an evaluation");
        return false;
    }
    *ev = (struct evaluation){
        .work = work, .take = evaluation_take, .task = task, .at = at};
    link_in(ev);
    if (!take_item(ev, err))
        return false; // the job closes and drops the evaluation
    ok = ev->item->text != NULL ? evaluation_ask_text(ev, err)
                                : start_run(ev, err);
    if (ok)
        drop_if_over(ev);
    return ok; // on false the job closes and drops the evaluation
}

bool evaluation_feed(const struct waiter *waiter, const struct flight *flight,
                     struct err *err)
{
    struct evaluation *ev = waiter->evaluation;
    struct call_ref ref = {.id = flight->call_id,
                           .prompt_tokens = flight->answer.prompt_tokens,
                           .generated_tokens = flight->answer.generated_tokens,
                           .outcome = flight->answer.outcome};
    bool ok = true;

    assert(ev->waiting > 0);
    ev->waiting--;
    if (ev->task != NULL)
        ok = evaluation_remember(ev, waiter->asker, waiter->part, &ref, err) &&
             evaluation_take(ev, waiter->asker, waiter->part, &flight->answer,
                             err) &&
             (ev->task == NULL || advance(ev, err));
    if (ok)
        drop_if_over(ev);
    return ok;
}

static void end_without_answer(struct evaluation *ev, enum item_state state)
{
    assert(ev->waiting > 0);
    ev->waiting--;
    if (ev->task != NULL)
        evaluation_detach(ev, state);
    drop_if_over(ev);
}

void evaluation_end_as_hole(struct evaluation *ev)
{
    end_without_answer(ev, ITEM_HOLE);
}

void evaluation_end_unpaid(struct evaluation *ev)
{
    end_without_answer(ev, ITEM_UNPAID);
}
