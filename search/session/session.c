#include "search/session/session.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "common/map.h"
#include "common/text.h"
#include "program/graph/search_spec.h"
#include "search/session/account.h"
#include "search/session/comparison.h"
#include "search/session/fit.h"
#include "search/session/forecast.h"
#include "search/session/note.h"
#include "search/session/row_lists.h"
#include "search/session/session_thread.h"
#include "search/session/task_cost.h"

enum { UNJUDGED_SHARE = 20 }; // more than one in so many is too many

// One submitted piece of work, a trial or runs, in the order of submission.
struct unit {
    struct trial *trial; // one of the two is set
    struct runs *runs;
    bool listed; // a numbered trial
    bool done;
    struct err err;
    struct used_call *calls; // of all items, until they are accounted; owned
    size_t n_calls;
    struct use most;            // what it may use, until then
    size_t fresh;               // examples that it runs anew
    const struct unit *earlier; // trial: one accounted for before it that
                                // scored the same candidate; NULL: none
};

struct session {
    struct session_setup setup;
    void *pair;
    pthread_t thread;
    bool started;
    struct candidate *baseline;
    struct trial *baseline_trial; // NULL: the first
    struct trial *seed_trial;     // NULL: none
    struct fit *fit;
    struct unit **units; // owned
    size_t n_units, cap_units;
    size_t accounted;       // units whose calls are in the ledger
    size_t admitted;        // units that the lag was kept for, and
    int64_t admitted_trial; // the last numbered trial among them
    struct map scored;      // units accounted for, by their trial's candidate
    struct trial **trials;  // numbered ones, borrowed from the units
    size_t n_trials, cap_trials;
    struct row_lists lists;
    struct account account;
    struct forecast forecast;
    struct trial *best;
    struct trial *rival; // NULL: not told
    const char *finish;
    struct map embedded;     // texts that were, by hash
    bool logprobs;           // are asked for
    size_t judged, unjudged; // answers, by all trials accounted for
};

// --- what is known ---

const struct job *session_job(const struct session *session)
{
    return session->setup.job;
}

const struct dataset *session_dataset(const struct session *session)
{
    return session->setup.dataset;
}

const struct split *session_split(const struct session *session)
{
    return session->setup.split;
}

const struct plan *session_plan(const struct session *session)
{
    return session->setup.plan;
}

struct candidate *session_baseline(const struct session *session)
{
    return session->baseline;
}

struct trial *session_baseline_trial(const struct session *session)
{
    return session->baseline_trial != NULL ? session->baseline_trial
                                           : session->trials[0];
}

struct trial *session_seed_trial(const struct session *session)
{
    return session->seed_trial;
}

const struct session_setup *session_setup_of(const struct session *session)
{
    return &session->setup;
}

struct rng session_rng(const struct session *session, const char *purpose,
                       uint64_t index)
{
    struct rng rng;

    rng_init(&rng, (uint64_t)session->setup.job->seed, purpose, index);
    return rng;
}

struct trial *const *session_trials(const struct session *session, size_t *n)
{
    *n = session->n_trials;
    return session->trials;
}

// --- units ---

static void free_unit(struct unit *unit)
{
    if (unit == NULL)
        return;
    trial_free(unit->trial);
    free(unit->calls);
    free(unit);
}

// Grows a list of pointers so that one more fits.
static bool make_room(void ***list, size_t n, size_t *cap)
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

static struct unit *add_unit(struct session *session, struct err *err)
{
    struct unit *unit = calloc(1, sizeof *unit);

    if (unit == NULL || !make_room((void ***)&session->units, session->n_units,
                                   &session->cap_units)) {
        free(unit);
        err_nomem(err, "a trial");
        return NULL;
    }
    session->units[session->n_units++] = unit;
    return unit;
}

static void drop_last_unit(struct session *session)
{
    free_unit(session->units[--session->n_units]);
}

static void tell_trial(struct session *session, const struct unit *unit)
{
    const struct trial *trial = unit->trial;
    const struct trial *beside =
        trial->kind == TRIAL_BASELINE ? trial : session_baseline_trial(session);
    struct note note = {.kind = NOTE_TRIAL};
    bool whole = unit->err.code == ERR_NONE; // a part says nothing of it
    struct comparison alone = {.a.interval = {NAN, NAN}};
    struct err none = ERR_CLEAR; // without memory there is no interval
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

// A judge that often gives nothing to read says nothing of those examples, and
// too little of the rest.
static bool count_judged(struct session *session, const struct trial *trial,
                         struct err *err)
{
    session->judged += trial->n + trial->unjudged;
    session->unjudged += trial->unjudged;
    if (session->unjudged < 2 ||
        session->unjudged * UNJUDGED_SHARE <= session->judged)
        return true;
    err_set(err, ERR_FAULT,
            "the judge (%.60s) gave nothing that could be read for %zu of %zu "
            "answers, each asked several times: v_calls shows what it said; "
            "take a larger model as `judge`, or a simpler scale",
            session->setup.job->models[ROLE_JUDGE].name, session->unjudged,
            session->judged);
    return false;
}

// Of a candidate that is scored again it is asked which rows it was scored on.
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

// --- what is to come, for people ---

static void tell_forecast(struct session *session)
{
    struct note note = {.kind = NOTE_EXPECT};

    if (forecast_news(&session->forecast, account_most(&session->account),
                      account_used(&session->account),
                      (int64_t)session->n_trials, &note.examples, &note.trials))
        note_send(session->pair, &note);
}

void session_expect(struct session *session, struct effort to_come)
{
    forecast_expect(&session->forecast, to_come.examples,
                    to_come.trials == 0
                        ? 0
                        : (int64_t)(session->n_trials + to_come.trials));
    tell_forecast(session);
}

void session_expect_after(struct session *session, size_t examples)
{
    forecast_expect_after(&session->forecast, examples);
}

// --- the account ---

static bool settle_trial(struct session *session, struct unit *unit,
                         struct use fresh, struct err *err)
{
    if (!keep_scored(session, unit, err) ||
        !count_judged(session, unit->trial, err))
        return false;
    unit->trial->calls = fresh.calls;
    unit->trial->tokens = fresh.tokens;
    if (unit->listed)
        tell_trial(session, unit);
    return true;
}

// Accounts for units in the order of submission, as far as they are done: so
// which unit was the first to use a key does not depend on arrival.
static bool account(struct session *session, struct err *err)
{
    while (session->accounted < session->n_units &&
           session->units[session->accounted]->done) {
        struct unit *unit = session->units[session->accounted];
        struct use fresh;

        if (!account_settle(&session->account, unit->most, unit->calls,
                            unit->n_calls, &fresh, err))
            return false;
        free(unit->calls);
        unit->calls = NULL;
        session->accounted++;
        forecast_settled(&session->forecast, unit->fresh);
        if (unit->trial != NULL && !settle_trial(session, unit, fresh, err))
            return false;
    }
    tell_forecast(session);
    return true;
}

// Without memory the unit has failed. It is done all the same, or its
// waiter would wait for ever.
static void take_calls(struct unit *unit, struct task *task)
{
    if (task->no_memory)
        err_nomem(&unit->err, "a trial");
    unit->calls = task->calls;
    unit->n_calls = task->n_calls;
    task->calls = NULL;
    task->n_calls = task->cap_calls = 0;
}

// A task is back: its unit is done.
static bool take_task(struct session *session, struct task *task,
                      struct err *err)
{
    struct unit *unit = task->owner;
    bool ok = true;

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

// Receives until the unit is done, well or not.
static bool await_unit(struct session *session, const struct unit *unit,
                       struct err *err)
{
    struct note note;

    while (!unit->done) {
        if (!note_receive(session->pair, &note, true)) {
            err_set(err, ERR_STOPPED, "the coordinator has stopped");
            return false;
        }
        if (!take_task(session, note.task, err))
            return false;
    }
    return true;
}

// The same, and false with its error when it did not end well.
static bool wait_unit(struct session *session, const struct unit *unit,
                      struct err *err)
{
    if (!await_unit(session, unit, err))
        return false;
    if (unit->err.code == ERR_NONE)
        return true;
    *err = unit->err;
    return false;
}

void session_settle(struct session *session)
{
    for (size_t i = 0; i < session->n_units; i++) {
        struct err ignored = ERR_CLEAR;

        wait_unit(session, session->units[i], &ignored);
    }
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

// Whether the task asks what the trials of its candidate ask.
static bool repeats_trials(const struct session *session,
                           const struct task *task)
{
    const struct sampling *sampling = &task->sampling;

    return task->scored && task->role == ROLE_STUDENT &&
           task->program == session->setup.job->program &&
           task->plan == session->setup.plan && sampling->temperature < 0 &&
           sampling->replicate == 0 && strcmp(sampling->purpose, "trial") == 0;
}

// Marks the items whose calls are in the ledger, since a trial of the same
// candidate was scored on their rows: they cost nothing. Returns how many.
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

// What the task needs of the budget, by what is in the ledger now.
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

// Begins no unit that the budget has no room for (ERR_BUDGET): waits for those
// before it as long as that may make room (budget.h). The unit is the last.
static bool claim_budget(struct session *session, struct unit *unit,
                         struct task *task, bool may_be_cut, struct err *err)
{
    struct use most = task_cost_most(session->setup.job, task);
    struct budget_need need;
    char name[64];

    for (;;) {
        need = find_need(session, task, most, may_be_cut);
        switch (account_ask(&session->account, &need, &task->limit)) {
        case BUDGET_FREE:
            unit->most = need.most;
            break;
        case BUDGET_LIMITED:
            task->limited = true;
            task->item_most = most;
            unit->most = use_smaller(need.most, task->limit);
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

static void send_task(struct session *session, struct task *task,
                      struct unit *unit)
{
    task->owner = unit;
    // Embeddings are many, short, and of another model: they are no measure.
    if (task->role != ROLE_EMBED)
        unit->fresh = task->n_items - task->n_paid;
    forecast_submitted(&session->forecast, unit->fresh);
    tell_forecast(session);
    note_send(session->pair, &(struct note){.kind = NOTE_TASK, .task = task});
}

void session_set_aside(struct session *session, struct use use)
{
    account_set_aside(&session->account, use);
}

void session_keep_back(struct session *session, size_t n)
{
    const struct session_setup *setup = &session->setup;
    int64_t calls = stepper_asks(setup->job->program, setup->plan) +
                    (int64_t)metric_outside(setup->job->metric);

    assert(session->accounted == session->n_units || n == 0);
    account_keep_back(&session->account, (int64_t)n * calls);
}

// --- trials ---

static struct trial *make_trial(struct session *session,
                                struct candidate *candidate, const size_t *rows,
                                size_t n_rows, struct err *err)
{
    const size_t *shared = row_lists_share(&session->lists, rows, n_rows);

    if (shared != NULL)
        return trial_new(candidate, shared, n_rows, err);
    err_nomem(err, "a trial");
    return NULL;
}

// A candidate's options are for the student's model: a teacher that runs it
// keeps its own.
static void lay_settings(const struct session *session, struct task *task)
{
    job_settings(session->setup.job, task->role, &task->settings);
    settings_lay(&task->candidate->settings,
                 task->role == ROLE_STUDENT ? SETTING_MODEL : SETTING_JOB,
                 &task->settings);
}

// The task of a trial: an item for each row.
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
    lay_settings(session, task);
    // The same for all trials: a candidate's score on a row is stored once, and
    // must not depend on which of two overlapping trials was there first.
    task->sampling = (struct sampling){
        .temperature = -1, .purpose = "trial", .replicate = trial->replicate};
    task->scored = true;
    task->logprobs = session->logprobs;
    return task;
}

// Those of the candidate's pools that no earlier candidate had. New reference.
static json_t *new_texts(struct session *session,
                         const struct candidate *candidate, struct err *err)
{
    json_t *all = json_array();
    json_t *list = json_array();
    bool ok =
        all != NULL && list != NULL &&
        candidate_pool_texts(candidate, session->setup.job->program, all, err);

    for (size_t i = 0; ok && i < json_array_size(all); i++) {
        json_t *text = json_array_get(all, i);
        struct hash key =
            hash_of("text", json_string_value(text), json_string_length(text));

        if (map_find(&session->embedded, &key) != NULL)
            continue;
        ok = map_put(&session->embedded, &key, session) &&
             json_array_append(list, text) == 0;
    }
    json_decref(all);
    if (ok)
        return list;
    json_decref(list);
    err_nomem(err, "an index of demos");
    return NULL;
}

// A candidate that picks demos by embeddings has those of its pools first.
// Which were asked before depends on what was submitted before, and on nothing
// else.
static bool embed_pools(struct session *session, struct candidate *candidate,
                        struct err *err)
{
    const struct session_setup *setup = &session->setup;
    struct runs_request request = {
        .program = setup->job->program,
        .plan = setup->plan,
        .candidate = candidate,
        .role = ROLE_EMBED,
        .sampling = {.temperature = -1, .purpose = "demos"}};
    struct runs *runs = NULL;
    json_t *texts;
    bool ok;

    if (setup->job->program->pools_by != SEARCH_BY_EMBEDDINGS)
        return true;
    texts = new_texts(session, candidate, err);
    ok = texts != NULL;
    request.texts = texts;
    request.n = json_array_size(texts);
    if (request.n > 0) {
        runs = runs_submit(session, &request, err);
        ok = runs != NULL && runs_wait(session, runs, err);
    }
    if (ok)
        runs_free(runs);
    json_decref(texts);
    return ok;
}

// How a candidate is scored, beside on which rows.
struct scoring {
    const struct plan *plan;
    bool listed;        // as a trial with a number
    bool kept;          // evaluations are stored and looked up
    const char *reason; // static; of a listed one
};

// Takes the trial, which may be NULL: then err says why already.
static struct trial *submit(struct session *session, struct trial *trial,
                            const struct scoring *how, struct err *err)
{
    struct unit *unit = NULL;
    struct task *task;

    if (trial != NULL && embed_pools(session, trial->candidate, err))
        unit = add_unit(session, err);
    if (unit == NULL) {
        trial_free(trial);
        return NULL;
    }
    unit->trial = trial;
    unit->listed = how->listed;
    task = trial_task(session, unit->trial, how->plan, err);
    if (task == NULL || !claim_budget(session, unit, task, true, err)) {
        task_free(task);
        drop_last_unit(session);
        return NULL;
    }
    task->kept = how->kept;
    task->trial = how->listed ? trial->number : 0;
    task->kind = trial->kind;
    task->reason = how->reason;
    if (how->listed)
        session->trials[session->n_trials++] = trial;
    send_task(session, task, unit);
    return trial;
}

// Made by the job's own thread when it is first needed: it measures every row,
// and the coordinator's loop, which starts the session, has no time for that.
static struct fit *fit_of(struct session *session, struct err *err)
{
    const struct session_setup *setup = &session->setup;

    if (session->fit == NULL)
        session->fit = fit_new(setup->job, setup->dataset, setup->plan, err);
    return session->fit;
}

struct candidate *session_fit(struct session *session,
                              struct candidate *candidate, struct err *err)
{
    const struct fit *fit = fit_of(session, err);

    return fit == NULL ? NULL : fit_candidate(fit, candidate, err);
}

struct trial *trial_submit(struct session *session, enum trial_kind kind,
                           struct candidate *candidate, const size_t *rows,
                           size_t n_rows, const char *reason, struct err *err)
{
    struct scoring how = {
        .plan = session->setup.plan, .listed = true, .kept = true};
    struct candidate *fitting = session_fit(session, candidate, err);
    struct trial *trial;

    if (fitting == NULL)
        return NULL;
    trial = make_trial(session, fitting, rows, n_rows, err);
    candidate_unref(fitting);
    if (trial == NULL)
        return NULL;
    if (!make_room((void ***)&session->trials, session->n_trials,
                   &session->cap_trials)) {
        trial_free(trial);
        err_nomem(err, "a trial");
        return NULL;
    }
    trial->kind = kind;
    trial->number = (int64_t)session->n_trials + 1;
    how.reason = reason;
    return submit(session, trial, &how, err);
}

// Scores it to the end.
static struct trial *score(struct session *session, struct trial *trial,
                           const struct scoring *how, struct err *err)
{
    trial = submit(session, trial, how, err);
    if (trial == NULL ||
        !wait_unit(session, session->units[session->n_units - 1], err))
        return NULL;
    return trial;
}

struct trial *session_score(struct session *session,
                            struct candidate *candidate,
                            const struct plan *plan, const size_t *rows,
                            size_t n_rows, bool kept, struct err *err)
{
    const struct scoring how = {.plan = plan, .kept = kept};

    return score(session, make_trial(session, candidate, rows, n_rows, err),
                 &how, err);
}

struct trial *session_again(struct session *session,
                            struct candidate *candidate, const size_t *rows,
                            size_t n_rows, int32_t replicate, struct err *err)
{
    const struct scoring how = {.plan = session->setup.plan, .kept = true};
    struct trial *trial = make_trial(session, candidate, rows, n_rows, err);

    if (trial != NULL)
        trial->replicate = replicate;
    return score(session, trial, &how, err);
}

void session_set_baseline(struct session *session, struct trial *trial)
{
    struct candidate *before = session->baseline;

    session->baseline = candidate_ref(trial->candidate);
    session->baseline_trial = trial;
    candidate_unref(before);
}

void session_set_seed(struct session *session, struct trial *trial)
{
    session->seed_trial = trial;
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
    return wait_unit(session, unit, err);
}

// --- the lag ---

bool session_admit(struct session *session, struct err *err)
{
    int64_t known = (int64_t)session->n_trials + 1 - session->setup.job->window;

    while (session->admitted_trial < known &&
           session->admitted < session->n_units) {
        struct unit *unit = session->units[session->admitted];

        if (!wait_unit(session, unit, err))
            return false;
        session->admitted++;
        if (unit->listed)
            session->admitted_trial = unit->trial->number;
    }
    return true;
}

// --- runs ---

// False without memory.
static bool fill_item(const struct session *session,
                      const struct runs_request *request, size_t i,
                      struct task_item *item)
{
    if (request->given != NULL)
        item->given = json_incref(request->given[i]);
    if (request->texts != NULL) {
        item->text = json_incref(json_array_get(request->texts, i));
        return true;
    }
    if (request->rows != NULL) {
        item->row = (int)request->rows[i];
        item->inputs = dataset_inputs(session->setup.dataset, request->rows[i]);
    } else {
        item->inputs = json_incref(request->inputs[i]);
    }
    return item->inputs != NULL;
}

static bool fill_runs(const struct session *session,
                      const struct runs_request *request, struct task *task,
                      struct err *err)
{
    for (size_t i = 0; i < request->n; i++) {
        if (!fill_item(session, request, i, &task->items[i])) {
            err_nomem(err, "a run");
            return false;
        }
        task->rows[i] = task->items[i].row;
    }
    task->program = request->program;
    task->plan = request->plan;
    task->candidate = candidate_ref(request->candidate);
    task->role = request->role;
    lay_settings(session, task);
    task->sampling = request->sampling;
    task->scored = request->scored;
    task->logprobs = request->scored && session->logprobs;
    task->free_text = request->free_text;
    task->traced = true;
    return true;
}

struct runs *runs_submit(struct session *session,
                         const struct runs_request *request, struct err *err)
{
    struct runs *runs;
    struct task *task;
    struct unit *unit = NULL;

    if (request->texts == NULL &&
        request->program == session->setup.job->program &&
        !embed_pools(session, request->candidate, err))
        return NULL;
    runs = calloc(1, sizeof *runs);
    task = task_new(request->n, true, err);
    if (runs != NULL && task != NULL && fill_runs(session, request, task, err))
        unit = add_unit(session, err);
    if (unit == NULL) {
        err_nomem(err, "a run");
        task_free(task);
        free(runs);
        return NULL;
    }
    unit->runs = runs;
    runs->task = task;
    if (!claim_budget(session, unit, task, false, err)) {
        drop_last_unit(session);
        task_free(task);
        free(runs);
        return NULL;
    }
    *runs =
        (struct runs){.items = task->items, .n = task->n_items, .task = task};
    send_task(session, task, unit);
    return runs;
}

bool runs_wait(struct session *session, struct runs *runs, struct err *err)
{
    return wait_unit(session, runs->task->owner, err);
}

void runs_free(struct runs *runs)
{
    if (runs == NULL)
        return;
    assert(runs->done);
    ((struct unit *)runs->task->owner)->runs = NULL;
    task_free(runs->task);
    free(runs);
}

void session_ask_logprobs(struct session *session, bool ask)
{
    session->logprobs = ask;
}

// --- results ---

void session_set_best(struct session *session, struct trial *trial)
{
    const struct trial *baseline = session_baseline_trial(session);
    uint64_t seed = (uint64_t)session->setup.job->seed;
    struct comparison beside = {
        .b = {trial->score, {0, 1}}, .a.interval = {0, 1}, .p_value = 1};
    struct err ignored = ERR_CLEAR;

    session->best = trial;
    (void)comparison_make(baseline, trial, seed, &beside, &ignored);
    note_send(session->pair,
              &(struct note){.kind = NOTE_BEST,
                             .best = {.trial = trial->number,
                                      .score = beside.b.score,
                                      .low = beside.b.interval.low,
                                      .high = beside.b.interval.high,
                                      .n = (int64_t)beside.n,
                                      .baseline = beside.a.score,
                                      .baseline_low = beside.a.interval.low,
                                      .baseline_high = beside.a.interval.high,
                                      .p_value = beside.p_value}});
}

bool session_prompt_tokens(struct session *session,
                           const struct candidate *candidate, size_t *tokens,
                           struct err *err)
{
    const struct fit *fit = fit_of(session, err);

    return fit != NULL && fit_tokens(fit, candidate, tokens, err);
}

void session_check_fit(struct session *session)
{
    struct err why = ERR_CLEAR;
    const struct fit *fit = fit_of(session, &why);

    if (fit != NULL && !fit_check(fit, session->baseline, &why))
        session_note(session, "warning: %s", why.text);
}

struct trial *session_best(const struct session *session)
{
    return session->best;
}

void session_set_rival(struct session *session, struct trial *trial)
{
    session->rival = trial;
}

struct trial *session_rival(const struct session *session)
{
    return session->rival;
}

void session_set_finish(struct session *session, const char *reason)
{
    session->finish = reason;
}

const char *session_finish(const struct session *session)
{
    return session->finish;
}

void session_phase(struct session *session, const char *phase)
{
    struct note note = {.kind = NOTE_PHASE};

    text_print(note.text, sizeof note.text, "%s", phase);
    note_send(session->pair, &note);
}

void session_note(struct session *session, const char *format, ...)
{
    struct note note = {.kind = NOTE_TEXT};
    va_list args;

    va_start(args, format);
    text_vprint(note.text, sizeof note.text, format, args);
    va_end(args);
    note_send(session->pair, &note);
}

// --- life ---

static void *run_thread(void *arg)
{
    struct session *session = arg;
    struct ending *ending = session->setup.conduct(session);

    session_settle(session);
    note_send(session->pair,
              &(struct note){.kind = NOTE_ENDED, .ending = ending});
    return NULL;
}

static bool connect_pair(struct session *session, struct err *err)
{
    session->pair = zmq_socket(session->setup.zmq, ZMQ_PAIR);
    if (session->pair != NULL &&
        zmq_setsockopt(session->pair, ZMQ_SNDHWM, &(int){0}, sizeof(int)) ==
            0 &&
        zmq_setsockopt(session->pair, ZMQ_RCVHWM, &(int){0}, sizeof(int)) ==
            0 &&
        zmq_connect(session->pair, session->setup.endpoint) == 0)
        return true;
    err_set(err, ERR_IO, "cannot connect a job's thread: %s",
            zmq_strerror(zmq_errno()));
    return false;
}

struct session *session_start(const struct session_setup *setup,
                              struct err *err)
{
    struct session *session = calloc(1, sizeof *session);
    struct use most = {0}; // without a limit

    if (session == NULL) {
        err_nomem(err, "a job");
        return NULL;
    }
    session->setup = *setup;
    session->finish = "trials_done";
    session->forecast = FORECAST_INIT;
    if (setup->request->action == REQUEST_RUN)
        most = (struct use){setup->job->budget.max_calls,
                            setup->job->budget.max_tokens};
    account_init(&session->account, most);
    session->baseline = candidate_new(setup->job->program, err);
    if (session->baseline == NULL || !connect_pair(session, err))
        goto fail;
    candidate_seal(session->baseline);
    if (pthread_create(&session->thread, NULL, run_thread, session) != 0) {
        err_set(err, ERR_IO, "cannot start a thread for the job");
        goto fail;
    }
    session->started = true;
    return session;

fail:
    session_join(session);
    return NULL;
}

void session_join(struct session *session)
{
    if (session == NULL)
        return;
    if (session->started)
        pthread_join(session->thread, NULL);
    for (size_t i = 0; i < session->n_units; i++) {
        runs_free(session->units[i]->runs);
        free_unit(session->units[i]);
    }
    free(session->units);
    free(session->trials);
    row_lists_release(&session->lists);
    account_release(&session->account);
    map_release(&session->embedded);
    map_release(&session->scored);
    fit_free(session->fit);
    candidate_unref(session->baseline);
    if (session->pair != NULL)
        zmq_close(session->pair);
    free(session);
}
