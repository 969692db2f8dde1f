#include "search/session/trial.h"

#include <stdlib.h>

struct trial *trial_new(struct candidate *candidate, struct row_span rows,
                        struct err *err)
{
    struct trial *trial = calloc(1, sizeof *trial);
    size_t n = rows.n > 0 ? rows.n : 1;

    if (trial == NULL)
        goto nomem;
    trial->candidate = candidate_ref(candidate);
    trial->scored = calloc(n, sizeof *trial->scored);
    trial->scores = calloc(n, sizeof *trial->scores);
    if (trial->scored == NULL || trial->scores == NULL)
        goto nomem;
    trial->rows = rows.rows;
    trial->n_rows = rows.n;
    return trial;

nomem:
    trial_free(trial);
    err_nomem(err, "a trial");
    return NULL;
}

void trial_free(struct trial *trial)
{
    if (trial == NULL)
        return;
    candidate_unref(trial->candidate);
    free(trial->scored);
    free(trial->scores);
    free(trial->p_right);
    free(trial);
}

// Fills the odds of the right labels. Few jobs ask for them, so room is
// allocated only if some item has one.
static bool fill_likely(struct trial *trial, const struct task *task,
                        struct err *err)
{
    bool told = false;

    for (size_t i = 0; !told && i < task->n_items; i++)
        told = task->marks[i].p_right >= 0;
    if (!told)
        return true;
    trial->p_right = calloc(trial->n_rows, sizeof *trial->p_right);
    if (trial->p_right == NULL) {
        err_nomem(err, "a trial");
        return false;
    }
    for (size_t i = 0; i < trial->n_rows; i++)
        trial->p_right[i] = -1;
    for (size_t i = 0; i < task->n_items; i++) {
        const struct task_mark *mark = &task->marks[i];

        if (mark->state == ITEM_DONE && mark->scored)
            trial->p_right[i] = mark->p_right;
    }
    return true;
}

static void fill_scores(struct trial *trial, const struct task *task)
{
    double sum = 0;

    for (size_t i = 0; i < task->n_items; i++) {
        const struct task_mark *mark = &task->marks[i];

        if (mark->state == ITEM_DONE && mark->outcome == RUN_UNJUDGED)
            trial->unjudged++;
        if (mark->state != ITEM_DONE || !mark->scored)
            continue;
        trial->scored[i] = true;
        trial->scores[i] = mark->score;
        trial->n++;
        sum += mark->score;
        trial->model_faults += mark->outcome != RUN_DONE;
        trial->faults[mark->outcome] += mark->outcome != RUN_DONE;
        trial->lenient += mark->lenient;
    }
    trial->score = trial->n == 0 ? 0 : sum / (double)trial->n;
}

bool trial_fill(struct trial *trial, const struct task *task, struct err *err)
{
    bool ok = fill_likely(trial, task, err);

    fill_scores(trial, task);
    if (task->fault_call != 0) {
        trial->fault_call = task->fault_call;
        trial->fault_row = (size_t)task->rows[task->fault_item];
    }
    trial->whole = task->err.code == ERR_NONE;
    trial->candidate_id = task->candidate_id;
    trial->done = true;
    return ok;
}

bool trials_are_unreadable(struct trial *const *trials, size_t n)
{
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        if (!trials[i]->done || trials[i]->n == 0)
            continue;
        if (trials[i]->model_faults < trials[i]->n)
            return false;
        any = true;
    }
    return any;
}

// Adds the candidate to the list of distinct ones, as long as the list has
// room.
static size_t add_candidate(struct hash *seen, size_t n, const struct hash *id)
{
    size_t i = 0;

    while (i < n && !hash_equal(&seen[i], id))
        i++;
    if (i < n || n == MUTE_CANDIDATES)
        return n;
    seen[n] = *id;
    return n + 1;
}

bool trials_are_mute(struct trial *const *trials, size_t n)
{
    struct hash seen[MUTE_CANDIDATES];
    size_t candidates = 0, examples = 0;

    if (!trials_are_unreadable(trials, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct trial *trial = trials[i];

        if (!trial->done || trial->n == 0)
            continue;
        examples += trial->n;
        candidates = add_candidate(seen, candidates, &trial->candidate->id);
    }
    return candidates == MUTE_CANDIDATES && examples >= MUTE_EXAMPLES;
}
