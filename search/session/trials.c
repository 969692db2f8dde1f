#include <assert.h>

#include "search/session/session_state.h"
#include "search/session/unit.h"

static struct trial *make_trial(struct session *session,
                                struct candidate *candidate,
                                struct row_span rows, struct err *err)
{
    struct row_span shared = row_lists_share(&session->lists, rows);

    if (shared.rows != NULL)
        return trial_new(candidate, shared, err);
    err_nomem(err, "a trial");
    return NULL;
}

// Creates the task of a trial, with an item for each row.
static struct task *trial_task(struct session *session,
                               const struct trial *trial,
                               const struct plan *plan, struct err *err)
{
    const struct session_setup *setup = &session->setup;
    struct task *task = task_new(trial->n_rows, false, err);

    if (task == NULL)
        return NULL;
    task->program = setup->job->program;
    task->plan = plan;
    for (size_t i = 0; i < trial->n_rows; i++)
        task->rows[i] = (int)trial->rows[i];
    task->candidate = candidate_ref(trial->candidate);
    task->role = ROLE_STUDENT;
    unit_fill_settings(session, task);
    // The same for all trials: a candidate's score on a row is stored once, and
    // must not depend on which of two overlapping trials came first.
    task->sampling = (struct sampling){
        .temperature = -1, .purpose = "trial", .replicate = trial->replicate};
    task->scored = true;
    task->logprobs = session->logprobs;
    return task;
}

// How a candidate is scored, apart from the rows.
struct scoring {
    const struct plan *plan;
    bool listed;        // as a trial with a number
    const char *reason; // static; only if listed
};

// Submits the trial and takes it over. `trial` may be NULL: then err is already
// set.
static struct trial *submit(struct session *session, struct trial *trial,
                            const struct scoring *how, struct err *err)
{
    struct unit *unit = NULL;
    struct task *task;

    if (trial != NULL && runs_embed_pools(session, trial->candidate, err))
        unit = unit_add(session, err);
    if (unit == NULL) {
        trial_free(trial);
        return NULL;
    }
    unit->trial = trial;
    unit->listed = how->listed;
    task = trial_task(session, unit->trial, how->plan, err);
    if (task == NULL || !unit_claim(session, unit, task, true, err)) {
        task_free(task);
        unit_drop_last(session);
        return NULL;
    }
    task->kept = true;
    task->trial = how->listed ? trial->number : 0;
    task->kind = trial->kind;
    task->reason = how->reason;
    if (how->listed)
        session->trials[session->n_trials++] = trial;
    unit_send(session, task, unit);
    return trial;
}

struct trial *trial_submit(struct session *session, enum trial_kind kind,
                           struct candidate *candidate, struct row_span rows,
                           const char *reason, struct err *err)
{
    struct scoring how = {
        .plan = session->setup.plan, .listed = true, .reason = reason};
    struct candidate *fitting = session_fit(session, candidate, err);
    struct trial *trial;

    if (fitting == NULL)
        return NULL;
    trial = make_trial(session, fitting, rows, err);
    candidate_unref(fitting);
    if (trial == NULL)
        return NULL;
    if (!unit_make_room((void ***)&session->trials, session->n_trials,
                        &session->cap_trials)) {
        trial_free(trial);
        err_nomem(err, "a trial");
        return NULL;
    }
    trial->kind = kind;
    trial->number = (int64_t)session->n_trials + 1;
    return submit(session, trial, &how, err);
}

// Submits the trial and waits until it is scored.
static struct trial *score(struct session *session, struct trial *trial,
                           const struct scoring *how, struct err *err)
{
    trial = submit(session, trial, how, err);
    if (trial == NULL ||
        !unit_wait(session, session->units[session->n_units - 1], err))
        return NULL;
    return trial;
}

struct trial *session_score(struct session *session,
                            struct candidate *candidate,
                            const struct plan *plan, struct row_span rows,
                            struct err *err)
{
    const struct scoring how = {.plan = plan};

    return score(session, make_trial(session, candidate, rows, err), &how, err);
}

struct trial *session_redraw(struct session *session,
                             struct candidate *candidate, struct row_span rows,
                             int32_t replicate, struct err *err)
{
    const struct scoring how = {.plan = session->setup.plan};
    struct trial *trial = make_trial(session, candidate, rows, err);

    if (trial != NULL)
        trial->replicate = replicate;
    return score(session, trial, &how, err);
}

static struct unit *unit_of(const struct session *session,
                            const struct trial *trial)
{
    for (size_t i = session->n_units; i-- > 0;)
        if (session->units[i]->trial == trial)
            return session->units[i];
    return NULL;
}

bool trial_wait(struct session *session, struct trial *trial, struct err *err)
{
    struct unit *unit = unit_of(session, trial);

    assert(unit != NULL);
    return unit_wait(session, unit, err);
}

bool session_admit(struct session *session, struct err *err)
{
    int64_t known = (int64_t)session->n_trials + 1 - session->setup.job->window;

    while (session->admitted_trial < known &&
           session->admitted < session->n_units) {
        struct unit *unit = session->units[session->admitted];

        if (!unit_wait(session, unit, err))
            return false;
        session->admitted++;
        if (unit->listed)
            session->admitted_trial = unit->trial->number;
    }
    return true;
}
