#include "coordinator/running_job_history.h"

#include <stdlib.h>

#include "common/json.h"
#include "coordinator/evaluation.h"
#include "coordinator/running_job_state.h"
#include "store/calls.h"
#include "store/history.h"

static json_t *demos_json(const struct candidate_part *part)
{
    json_t *list = json_array();

    for (size_t d = 0; list != NULL && d < part->n_demos; d++)
        if (json_array_append(list, part->demos[d].fields) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static bool fill_part(const struct task *task, size_t p,
                      struct history_part *out)
{
    const struct candidate_part *part = &task->candidate->parts[p];
    json_t *demos = demos_json(part);

    *out = (struct history_part){
        .step = program_predictor(task->program, p)->name,
        .instruction = part->instruction,
        .instruction_no = part->instruction_no,
        .demo_set_no = part->demo_set_no,
        .demos = demos == NULL ? NULL : json_text(demos),
    };
    json_decref(demos);
    return out->demos != NULL;
}

static bool put_candidate(struct running_job *running, struct task *task,
                          struct err *err)
{
    size_t n = task->candidate->n_parts, filled = 0;
    struct history_part *parts = calloc(n + 1, sizeof *parts);
    json_t *tuned = candidate_chosen(task->candidate, task->program);
    char *chosen = tuned == NULL ? NULL : json_text(tuned);
    struct history_candidate row = {
        .hash = task->candidate->id,
        .parts = parts,
        .parents = task->candidate->parents,
        .n_parents = task->candidate->n_parents,
        .reason = task->reason == NULL ? "" : task->reason,
        .tuned = chosen};

    while (parts != NULL && filled < n &&
           fill_part(task, filled, &parts[filled]))
        filled++;
    row.n_parts = filled;
    if (parts == NULL || filled < n || chosen == NULL)
        err_nomem(err, "a candidate");
    else
        task->candidate_id = history_candidate(running->engine->store,
                                               running->work.job_no, &row, err);
    for (size_t p = 0; parts != NULL && p < n; p++)
        free((char *)parts[p].demos);
    free(parts);
    free(chosen);
    json_decref(tuned);
    return task->candidate_id != 0;
}

static struct hash rows_hash(const struct task *task)
{
    struct hasher hasher;

    hasher_init(&hasher, "rows");
    for (size_t i = 0; i < task->n_items; i++)
        hasher_add_int(&hasher, task->rows[i]);
    return hasher_end(&hasher);
}

// Admits the trial to the history. A replay must propose what is stored. A job
// that was completed before does so, unless it has another budget now: a search
// may learn from fewer rows where there is no room for more, so with a larger
// budget it takes its own course from there.
static bool admit_trial(struct running_job *running, const struct task *task,
                        struct err *err)
{
    struct history_trial row = {.number = task->trial,
                                .kind = trial_kind_names[task->kind],
                                .candidate_id = task->candidate_id,
                                .rows = rows_hash(task),
                                .replaces = running->past.was_done};
    struct err why = ERR_CLEAR;

    if (task->trial == 0)
        return true;
    if (history_trial(running->engine->store, running->work.job_no, &row,
                      &why) != TRIAL_OTHER &&
        why.code == ERR_NONE)
        return true;
    if (why.code == ERR_NONE)
        err_set(&why, ERR_DIFFERS,
                "the replay of %s proposed another trial %lld than the stored "
                "one: use another --store, or --seed, to start over",
                running->spec.id, (long long)task->trial);
    *err = why;
    return false;
}

bool running_job_admit(struct running_job *running, struct task *task,
                       struct err *err)
{
    return (!task->kept || put_candidate(running, task, err)) &&
           admit_trial(running, task, err);
}

// Returns true if the row may use these answers. An excluded row may use only
// answers from before its exclusion.
static bool may_use(const struct running_job *running, int row,
                    const struct history_evaluation *stored)
{
    for (int32_t i = 0; i < stored->n_calls; i++)
        if (stored->calls[i] > job_work_last_call(&running->work, row))
            return false;
    return true;
}

bool running_job_use_stored(struct running_job *running, struct task *task,
                            size_t at, struct err *err)
{
    struct history_evaluation row;
    struct used_call calls[EVALUATION_MAX_CALLS];
    struct call_ref last = {0};
    struct task_item item = TASK_ITEM_INIT(task->rows[at]);
    struct store *store = running->engine->store;

    row.candidate_id = task->candidate_id;
    row.row = item.row;
    row.replicate = task->sampling.replicate;
    if (!history_find_evaluation(store, running->work.job_no, &row, err) ||
        !may_use(running, item.row, &row))
        return err->code == ERR_NONE;
    for (int32_t i = 0; i < row.n_calls; i++) {
        last = (struct call_ref){0};
        calls_ref(store, row.calls[i], &last);
        job_uses_add(&running->work.uses, row.calls[i]);
        calls[i] = (struct used_call){.id = row.calls[i],
                                      .tokens = (int64_t)last.prompt_tokens +
                                                last.generated_tokens};
    }
    // A prompt that was too long to be sent has no call.
    if (row.outcome != RUN_TOO_LONG || last.outcome == CALL_TOO_LONG)
        item.fault_call = last.id;
    item.outcome = (enum run_outcome)row.outcome;
    item.lenient = row.lenient;
    item.scored = row.outcome != RUN_UNJUDGED;
    item.score = item.scored ? row.score : 0;
    item.p_right = row.p_right;
    item.state = ITEM_DONE;
    task_settle(task, at, &item, calls, (size_t)row.n_calls);
    return true;
}
