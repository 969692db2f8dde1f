#include "search/session/unit.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "search/session/comparison.h"
#include "search/session/task_cost.h"

enum { UNJUDGED_SHARE = 20 }; // more than one in this many is too many

// --- the list ---

void unit_free(struct unit *unit)
{
    if (unit == NULL)
        return;
    trial_free(unit->trial);
    used_calls_release(&unit->calls);
    free(unit);
}

bool unit_make_room(void ***list, size_t n, size_t *cap)
{
    size_t bigger = *cap == 0 ? 64 : *cap * 2;
    void **grown;

    if (n < *cap)
        return true;
    grown = realloc(*list, bigger * sizeof(void *));
    if (grown == NULL)
        return false;
    *list = grown;
    *cap = bigger;
    return true;
}

struct unit *unit_add(struct session *session, struct err *err)
{
    struct unit *unit = calloc(1, sizeof *unit);

    if (unit == NULL ||
        !unit_make_room((void ***)&session->units, session->n_units,
                        &session->cap_units)) {
        free(unit);
        err_nomem(err, "a trial");
        return NULL;
    }
    session->units[session->n_units++] = unit;
    return unit;
}

void unit_drop_last(struct session *session)
{
    unit_free(session->units[--session->n_units]);
}

// --- the account ---

static void tell_trial(struct session *session, const struct unit *unit)
{
    const struct trial *trial = unit->trial;
    const struct trial *beside =
        trial->kind == TRIAL_BASELINE ? trial : session_baseline_trial(session);
    struct note note = {.kind = NOTE_TRIAL};
    bool whole = unit->err.code == ERR_NONE; // a partial trial says nothing
                                             // about the score
    struct comparison alone = {.a.interval = {NAN, NAN}};
    struct err none = ERR_CLEAR; // when out of memory, there is no interval
    double baseline, ignored;

    // A trial may be on rows that the baseline was not scored on.
    if (comparison_means(beside, trial, &baseline, &ignored) == 0)
        baseline = NAN;
    if (whole && trial->n > 0)
        (void)comparison_make(trial, trial, (uint64_t)session->setup.job->seed,
                              &alone, &none);
    note.end =
        (struct history_trial_end){.number = trial->number,
                                   .state = whole ? "done" : "incomplete",
                                   .score = whole ? trial->score : NAN,
                                   .low = alone.a.interval.low,
                                   .high = alone.a.interval.high,
                                   .baseline = whole ? baseline : NAN,
                                   .n = (int64_t)trial->n,
                                   .calls = trial->calls,
                                   .tokens = trial->tokens};
    note_send(session->pair, &note);
}

// Counts the answers that the judge scored, and sets the session's fault if too
// many could not be judged: such a judge says nothing about those examples, and
// too little about the rest.
static void count_judged(struct session *session, const struct trial *trial)
{
    session->judged += trial->n + trial->unjudged;
    session->unjudged += trial->unjudged;
    if (session->fault.code != ERR_NONE || session->unjudged < 2 ||
        session->unjudged * UNJUDGED_SHARE <= session->judged)
        return;
    err_set(&session->fault, ERR_FAULT,
            "the judge (%.60s) gave no readable score for %zu of %zu answers, "
            "although it was asked several times: v_calls shows what it said; "
            "use a larger model as `judge`, or a simpler scale",
            session->setup.job->models[ROLE_JUDGE].name, session->unjudged,
            session->judged);
}

// Links the trials of a candidate, since a candidate that is scored again is
// checked for rows that it was scored on before.
static bool keep_scored(struct session *session, struct unit *unit,
                        struct err *err)
{
    const struct hash *candidate = &unit->trial->candidate->id;

    unit->earlier = map_find(&session->scored, candidate);
    if (map_put(&session->scored, candidate, unit))
        return true;
    err_nomem(err, "a trial");
    return false;
}

static bool settle_trial(struct session *session, struct unit *unit,
                         struct use fresh, struct err *err)
{
    if (!keep_scored(session, unit, err))
        return false;
    count_judged(session, unit->trial);
    unit->trial->calls = fresh.calls;
    unit->trial->tokens = fresh.tokens;
    if (unit->listed)
        tell_trial(session, unit);
    return true;
}

// Accounts for units in the order of submission, as far as they are done, so
// that which unit was the first to use a key does not depend on arrival.
static bool account(struct session *session, struct err *err)
{
    while (session->accounted < session->n_units &&
           session->units[session->accounted]->done) {
        struct unit *unit = session->units[session->accounted];
        struct use fresh;

        if (!account_settle(&session->account, unit->most, unit->calls.items,
                            unit->calls.n, &fresh, err))
            return false;
        used_calls_release(&unit->calls);
        session->accounted++;
        forecast_settled(&session->forecast, unit->fresh);
        if (unit->trial != NULL && !settle_trial(session, unit, fresh, err))
            return false;
    }
    session_tell_forecast(session);
    return true;
}

// Takes the task's calls. If memory ran out, the unit has failed; it still
// becomes done, since its waiter would otherwise wait forever.
static void take_calls(struct unit *unit, struct task *task)
{
    if (task->calls.incomplete)
        err_nomem(&unit->err, "a trial");
    unit->calls = task->calls;
    task->calls = (struct used_calls){0};
}

// Records whose answers the task rests on. A task that the budget did not reach
// asked nobody.
static void note_asked(struct session *session, const struct task *task)
{
    bool any = false;

    for (size_t i = 0; !any && i < task->n_items; i++)
        any = task->marks[i].state == ITEM_DONE;
    if (!any)
        return;
    session->asked[task->role] = true;
    session->asked[ROLE_JUDGE] |= task->scored;
    session->asked[ROLE_EMBED] |= task->program == session->setup.job->program;
}

// Takes a task that came back: its unit is done.
static bool take_task(struct session *session, struct task *task,
                      struct err *err)
{
    struct unit *unit = task->owner;
    bool ok = true;

    note_asked(session, task);
    unit->err = task->err;
    take_calls(unit, task);
    unit->done = true;
    if (unit->trial != NULL) {
        ok = trial_fill(unit->trial, task, err);
        task_free(task);
    } else {
        unit->runs->done = true;
    }
    return ok && account(session, err);
}

// Receives until the unit is done, whether it ended well or not.
static bool await_unit(struct session *session, const struct unit *unit,
                       struct err *err)
{
    struct note note;

    while (!unit->done) {
        if (!note_await(session->pair, &note)) {
            err_set(err, ERR_STOPPED, "the coordinator has stopped");
            return false;
        }
        if (!take_task(session, note.task, err))
            return false;
    }
    return true;
}

bool unit_wait(struct session *session, const struct unit *unit,
               struct err *err)
{
    session->n_waits++;
    if (!await_unit(session, unit, err))
        return false;
    if (session->fault.code == ERR_NONE && unit->err.code == ERR_NONE)
        return true;
    *err = session->fault.code != ERR_NONE ? session->fault : unit->err;
    return false;
}

// --- the budget ---

static void put_name(const struct unit *unit, char *out, size_t size)
{
    if (unit->runs != NULL && unit->runs->task->role == ROLE_EMBED)
        text_print(out, size, "the embedding of documents or demos");
    else if (unit->runs != NULL)
        text_print(out, size, "the next run of the teacher");
    else if (unit->listed)
        text_print(out, size, "trial %" PRId64, unit->trial->number);
    else
        text_print(out, size, "the test share");
}

// Returns true if the task asks the same as the trials of its candidate.
static bool repeats_trials(const struct session *session,
                           const struct task *task)
{
    const struct sampling *sampling = &task->sampling;

    return task->scored && task->role == ROLE_STUDENT &&
           task->program == session->setup.job->program &&
           task->plan == session->setup.plan && sampling->temperature < 0 &&
           sampling->replicate == 0 && strcmp(sampling->purpose, "trial") == 0;
}

// Marks the items that cost nothing: a trial of the same candidate was scored
// on their rows, so their calls are in the ledger. Returns their number.
static size_t mark_paid(const struct session *session, struct task *task)
{
    size_t rows = dataset_size(session->setup.dataset);
    bool *scored = NULL;
    size_t n = 0;

    if (repeats_trials(session, task))
        scored = calloc(rows + 1, sizeof *scored);
    for (const struct unit *unit =
             map_find(&session->scored, &task->candidate->id);
         scored != NULL && unit != NULL; unit = unit->earlier)
        for (size_t i = 0; i < unit->trial->n_rows; i++)
            scored[unit->trial->rows[i]] |= unit->trial->scored[i];
    for (size_t i = 0; scored != NULL && i < task->n_items; i++) {
        task->marks[i].paid = scored[task->rows[i]];
        n += task->marks[i].paid;
    }
    free(scored);
    return n;
}

// Returns what the task needs of the budget, given what is in the ledger now.
static struct budget_need find_need(const struct session *session,
                                    struct task *task, struct use most,
                                    bool may_be_cut)
{
    struct budget_need need;
    size_t n;

    task->n_paid = mark_paid(session, task);
    n = task->n_items - task->n_paid;
    need.most = use_times(most, n);
    need.least = need.most;
    if (may_be_cut)
        need.least.calls =
            task_cost_least(session->setup.job, task) * (int64_t)n;
    return need;
}

bool unit_claim(struct session *session, struct unit *unit, struct task *task,
                bool may_be_cut, struct err *err)
{
    struct use most = task_cost_most(session->setup.job, task);
    struct budget_need need;
    char name[64];

    for (;;) {
        need = find_need(session, task, most, may_be_cut);
        switch (account_ask(&session->account, &need, &task->limit.in_all)) {
        case BUDGET_FREE:
            unit->most = need.most;
            break;
        case BUDGET_LIMITED:
            task->limit.set = true;
            task->limit.of_item = most;
            unit->most = use_smaller(need.most, task->limit.in_all);
            break;
        case BUDGET_WAIT:
            if (!await_unit(session, session->units[session->accounted], err))
                return false;
            continue;
        case BUDGET_OVER:
            put_name(unit, name, sizeof name);
            account_explain(&session->account, &need, name, err);
            return false;
        }
        account_begin(&session->account, unit->most);
        return true;
    }
}

void unit_send(struct session *session, struct task *task, struct unit *unit)
{
    task->owner = unit;
    task->batch = session->n_waits + 1;
    // Embeddings are many, short, and by another model: they are no measure.
    if (task->role != ROLE_EMBED)
        unit->fresh = task->n_items - task->n_paid;
    forecast_submitted(&session->forecast, unit->fresh);
    session_tell_forecast(session);
    note_send(session->pair, &(struct note){.kind = NOTE_TASK, .task = task});
}

void unit_fill_settings(const struct session *session, struct task *task)
{
    job_settings(session->setup.job, task->role, &task->settings);
    settings_overlay(&task->candidate->settings,
                     task->role == ROLE_STUDENT ? SETTING_MODEL : SETTING_JOB,
                     &task->settings);
}
