#include "coordinator/evaluation_result.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "common/buf.h"
#include "coordinator/evaluation_calls.h"
#include "program/prompt/prompt.h"
#include "store/history.h"

void evaluation_release_item(struct evaluation *ev)
{
    task_item_release(&ev->own, 0);
    ev->own = TASK_ITEM_INIT(-1);
    json_decref(ev->example);
    ev->example = NULL;
    evaluation_calls_release(ev);
}

void evaluation_detach(struct evaluation *ev, enum item_state state)
{
    ev->item->state = state;
    task_settle(ev->task, ev->at, ev->item, ev->calls, ev->n_calls);
    ev->task = NULL;
    ev->item = NULL;
    evaluation_release_item(ev);
    stepper_free(ev->stepper); // the program may end with the task
    ev->stepper = NULL;
}

static bool keep_trace(const struct evaluation *ev, struct err *err)
{
    size_t n = ev->task->program->n_steps;
    struct task_item *item = ev->item;

    item->outputs = json_incref((json_t *)stepper_outputs(ev->stepper));
    item->step_inputs = calloc(n, sizeof(json_t *));
    item->step_outputs = calloc(n, sizeof(json_t *));
    if (item->step_inputs == NULL || item->step_outputs == NULL) {
        err_nomem(err, "a trace");
        return false;
    }
    for (size_t s = 0; s < n; s++) {
        item->step_inputs[s] =
            json_incref((json_t *)stepper_step_inputs(ev->stepper, (int)s));
        item->step_outputs[s] =
            json_incref((json_t *)stepper_step_outputs(ev->stepper, (int)s));
    }
    return true;
}

// Two trials in progress may score the same candidate on the same row. They use
// the same calls, and the first that ends is kept.
static bool is_kept(const struct evaluation *ev, struct err *err)
{
    struct history_evaluation kept;

    kept.candidate_id = ev->task->candidate_id;
    kept.row = ev->item->row;
    kept.replicate = ev->task->sampling.replicate;
    return history_find_evaluation(ev->work->engine->store, ev->work->job_no,
                                   &kept, err);
}

// Each step asks at most twice, and once for an embedding.
_Static_assert(3 * PROGRAM_MAX_STEPS + METRIC_MAX_OUTSIDE * METRIC_TRIES <=
                   EVALUATION_MAX_CALLS,
               "all calls of an example are kept");

static bool put_history(const struct evaluation *ev, struct err *err)
{
    const struct task_item *item = ev->item;
    struct history_evaluation row = {
        .candidate_id = ev->task->candidate_id,
        .row = item->row,
        .replicate = ev->task->sampling.replicate,
        .outcome = (int32_t)item->outcome,
        .repairs = item->repairs,
        .lenient = item->lenient,
        .score = item->scored ? item->score : NAN,
        .judge_noise = item->judge_noise,
        .p_right = item->p_right,
        .feedback = item->feedback,
    };

    if (is_kept(ev, err))
        return true;
    assert(ev->n_calls <= EVALUATION_MAX_CALLS);
    for (size_t i = 0; i < ev->n_calls; i++)
        row.calls[row.n_calls++] = ev->calls[i].id;
    return history_put_evaluation(ev->work->engine->store, ev->work->job_no,
                                  &row, err);
}

bool evaluation_finish(struct evaluation *ev, struct err *err)
{
    struct task_item *item = ev->item;

    item->fault_call = evaluation_calls_end(ev);
    item->outcome = ev->unjudged ? RUN_UNJUDGED : stepper_outcome(ev->stepper);
    item->lenient = stepper_lenient(ev->stepper);
    item->repairs = stepper_repairs(ev->stepper);
    item->p_right = right_probability(&ev->right);
    if (ev->task->traced && !keep_trace(ev, err))
        return false;
    if (ev->task->kept && !put_history(ev, err))
        return false;
    evaluation_detach(ev, ITEM_DONE);
    return true;
}

const json_t *evaluation_example(struct evaluation *ev, struct err *err)
{
    if (ev->example == NULL)
        ev->example = dataset_fields(ev->work->dataset, (size_t)ev->item->row);
    if (ev->example == NULL)
        err_nomem(err, "an example");
    return ev->example;
}

bool evaluation_judge(struct evaluation *ev, struct err *err)
{
    struct metric_case given = {.outside = ev->outside};
    struct score score = {0};

    if (ev->unjudged)
        return evaluation_finish(ev, err);
    given.example = evaluation_example(ev, err);
    given.outputs = stepper_outputs(ev->stepper);
    if (given.example == NULL ||
        !metric_score(ev->work->job->metric, &given, &score, err))
        return false;
    ev->item->score = score.value;
    ev->item->feedback = score.feedback;
    ev->item->judge_noise = score.variance < 0 ? -1 : sqrt(score.variance);
    ev->item->scored = true;
    return evaluation_finish(ev, err);
}

// The metric never sees a reply that cannot be used, so the feedback about it
// is made here.
bool evaluation_score_fault(struct evaluation *ev, struct err *err)
{
    struct buf feedback = BUF_INIT(PROMPT_MAX_BYTES);

    ev->item->scored = true;
    ev->item->score = 0;
    stepper_feedback(ev->stepper, &feedback);
    if (!buf_ok(&feedback, "feedback", err)) {
        buf_release(&feedback);
        return false;
    }
    ev->item->feedback = buf_take(&feedback);
    return evaluation_finish(ev, err);
}
