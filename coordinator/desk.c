#include "coordinator/desk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "coordinator/desk_exec.h"
#include "coordinator/desk_wait.h"
#include "coordinator/evaluation.h"
#include "coordinator/session_thread.h"
#include "program/prompt.h"
#include "store/calls.h"
#include "store/history.h"

// --- closing ---

static bool waits_for_desk(const struct waiter *waiter, const void *desk)
{
    return evaluation_desk(waiter->evaluation) == desk;
}

// The desk of the first who still waits pays for the flight from now on. The
// programs of a metric end with their desk, so the heir asks its own.
static void hand_over(struct flight *flight, const struct desk *from)
{
    const struct waiter *first = flight->waiters;
    struct err err = ERR_CLEAR;

    if (flight->desk != from)
        return;
    flight->desk = first == NULL
                       ? NULL
                       : (struct desk *)evaluation_desk(first->evaluation);
    if (flight->desk != NULL && flight->exec && !flight->landed &&
        !desk_begin_exec(flight->desk, flight, first->step, &err))
        flight->desk->failure = err;
}

// Nobody waits for it any more.
static void cancel_flight(struct engine *engine, struct flight *flight)
{
    if (!flight->exec)
        dispatch_cancel(engine->dispatch, flight->id, clock_monotonic_ms());
    flights_drop(&engine->flights, flight);
}

// Takes the desk's waits out of all flights. Those that nobody waits for any
// more are cancelled, unless their answer is already on its way to disk. Takes
// no memory, since the want of it may be what closes the desk.
static void leave_flights(struct desk *desk)
{
    struct engine *engine = desk->engine;
    struct flight *left = NULL;
    struct hash key;
    size_t at = 0;
    void *value;

    while (map_next(&engine->flights.by_key, &at, &key, &value)) {
        struct flight *flight = value;
        bool alone = flight_leave(flight, waits_for_desk, desk);

        hand_over(flight, desk);
        if (!alone || flight->landed)
            continue;
        flight->next_left = left;
        left = flight;
    }
    while (left != NULL) {
        struct flight *flight = left;

        left = flight->next_left;
        cancel_flight(engine, flight);
    }
}

static void drop_evaluations(struct desk *desk)
{
    leave_flights(desk);
    while (desk->evaluations != NULL)
        evaluation_drop(desk->evaluations);
}

static void free_prompts(struct desk *desk, struct task *task)
{
    if (task->prompts == NULL)
        return;
    for (size_t s = 0; s < task->program->n_steps; s++)
        if (task->prompts[s].prefix != NULL)
            prefix_unref(&desk->engine->flights, task->prompts[s].prefix);
    free(task->prompts);
    task->prompts = NULL;
}

static void give_back(struct desk *desk, struct task *task)
{
    free_prompts(desk, task);
    note_send(desk->pair, &(struct note){.kind = NOTE_TASK, .task = task});
}

static void give_back_all(struct desk *desk, struct task **list,
                          struct task ***last)
{
    while (*list != NULL) {
        struct task *task = *list;

        *list = task->next;
        if (task->err.code == ERR_NONE)
            task->err = desk->closing;
        give_back(desk, task);
    }
    *last = list;
}

void desk_close(struct desk *desk, const struct err *why)
{
    if (desk->state != DESK_OPEN)
        return;
    desk->state = DESK_CLOSING;
    desk->closing = *why;
    log_info("job-closing", "%s: %s", desk->id, why->text);
    drop_evaluations(desk);
    give_back_all(desk, &desk->tasks, &desk->last_task);
    give_back_all(desk, &desk->finished, &desk->last_finished);
}

// --- tasks ---

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

static bool put_candidate(struct desk *desk, struct task *task, struct err *err)
{
    size_t n = task->candidate->n_parts, filled = 0;
    struct history_part *parts = calloc(n + 1, sizeof *parts);
    struct history_candidate row = {
        .hash = task->candidate->id,
        .parts = parts,
        .parents = "[]",
        .reason = task->reason == NULL ? "" : task->reason};

    while (parts != NULL && filled < n &&
           fill_part(task, filled, &parts[filled]))
        filled++;
    row.n_parts = filled;
    if (parts == NULL || filled < n)
        err_nomem(err, "a candidate");
    else
        task->candidate_id =
            history_candidate(desk->engine->store, desk->job_no, &row, err);
    for (size_t p = 0; parts != NULL && p < n; p++)
        free((char *)parts[p].demos);
    free(parts);
    return task->candidate_id != 0;
}

static struct hash rows_hash(const struct task *task)
{
    struct hasher hasher;

    hasher_init(&hasher, "rows");
    for (size_t i = 0; i < task->n_items; i++)
        hasher_add_int(&hasher, task->items[i].row);
    return hasher_end(&hasher);
}

// Admits the trial to the history; replay must propose what is stored.
static bool admit_trial(struct desk *desk, const struct task *task,
                        struct err *err)
{
    struct history_trial row = {.number = task->trial,
                                .kind = trial_kind_names[task->kind],
                                .candidate_id = task->candidate_id,
                                .rows = rows_hash(task)};
    struct err why = ERR_CLEAR;

    if (task->trial == 0)
        return true;
    if (history_trial(desk->engine->store, desk->job_no, &row, &why) !=
            TRIAL_OTHER &&
        why.code == ERR_NONE)
        return true;
    if (why.code == ERR_NONE)
        err_set(&why, ERR_DIFFERS,
                "replay of %s proposed another trial %lld than the stored "
                "one; use another --store, or --seed, to start afresh",
                desk->id, (long long)task->trial);
    *err = why;
    return false;
}

// Fills an item from its stored evaluation; false when there is none.
static bool find_stored(struct desk *desk, const struct task *task,
                        struct task_item *item, struct err *err)
{
    struct history_evaluation row;
    struct store *store = desk->engine->store;

    if (!task->kept || !history_find_evaluation(
                           store, desk->job_no, task->candidate_id, item->row,
                           task->sampling.replicate, &row, err))
        return false;
    item->calls = calloc((size_t)row.n_calls + 1, sizeof *item->calls);
    if (item->calls == NULL) {
        err_nomem(err, "an evaluation");
        return false;
    }
    desk->progress.reused += row.n_calls;
    for (int32_t i = 0; i < row.n_calls; i++) {
        struct call_ref ref = {0};

        calls_ref(store, row.calls[i], &ref);
        item->calls[item->n_calls++] = (struct used_call){
            .id = row.calls[i],
            .tokens = ref.prompt_tokens + ref.generated_tokens};
    }
    item->outcome = (enum run_outcome)row.outcome;
    item->repairs = row.repairs;
    item->lenient = row.lenient;
    item->score = row.score;
    item->scored = true;
    item->state = ITEM_DONE;
    return true;
}

static void fill_known(struct desk *desk, struct task *task, struct err *err)
{
    for (size_t i = 0; i < task->n_items && err->code == ERR_NONE; i++) {
        struct task_item *item = &task->items[i];

        if (item->state == ITEM_OPEN && !find_stored(desk, task, item, err))
            task->open++;
    }
}

static void append(struct task ***last, struct task *task)
{
    task->next = NULL;
    **last = task;
    *last = &task->next;
}

// The task waits until all that it rests on is durable.
static void to_finished(struct desk *desk, struct task *task)
{
    task->put = store_last_put(desk->engine->store);
    append(&desk->last_finished, task);
}

static void take_task(struct desk *desk, struct task *task)
{
    struct err err = ERR_CLEAR;

    task->next = NULL;
    task->open = 0;
    if (desk->state != DESK_OPEN) {
        task->err = desk->closing;
        give_back(desk, task);
        return;
    }
    task->age = ++desk->task_age;
    task->prompts = calloc(task->program->n_steps, sizeof *task->prompts);
    if (task->prompts == NULL)
        err_nomem(&err, "a task");
    else if ((!task->kept || put_candidate(desk, task, &err)) &&
             admit_trial(desk, task, &err))
        fill_known(desk, task, &err);
    append(&desk->last_task, task);
    if (err.code != ERR_NONE)
        desk_close(desk, &err);
}

struct prefix *desk_prefix(struct desk *desk, struct task *task, int step,
                           struct err *err)
{
    struct task_prompt *prompt = &task->prompts[step];
    const struct step *s = &task->program->steps[step];
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES);
    struct buf format = BUF_INIT(PROMPT_MAX_BYTES);
    size_t len;

    if (prompt->prefix != NULL)
        return prompt->prefix;
    if (prompt_prefix(s, &task->candidate->parts[s->predictor], task->adapter,
                      &text, err) &&
        prompt_format(s, task->adapter, &format, err)) {
        len = text.len;
        prompt->prefix =
            flights_prefix(&desk->engine->flights, buf_take(&text), len,
                           format.len == 0 ? NULL : buf_take(&format), err);
    }
    buf_release(&text);
    buf_release(&format);
    return prompt->prefix;
}

bool desk_begin_call(struct desk *desk, const struct task *task,
                     struct flight *flight, struct err *err)
{
    int64_t now = clock_monotonic_ms();
    struct dispatch_call call = {
        .id = flight->id,
        .job = desk->number,
        .model = flight->model = desk->models[task->role].number,
        .trial = task->age,
        .group = flight->prefix->number,
        .window = (int32_t)desk->job->window,
        .timeout_ms = flight->timeout_ms = desk->engine->call_timeout_ms,
    };

    return dispatch_queue(desk->engine->dispatch, &call, now, err);
}

// Whether the task has all it needs to start.
static bool ready(struct desk *desk, const struct task *task)
{
    return task->open == 0 || desk->models[task->role].bound ||
           desk_bind(desk, task->role);
}

static bool start_items(struct desk *desk, struct task *task, struct err *err)
{
    while (task->cursor < task->n_items && desk->active < DESK_MAX_ACTIVE) {
        struct task_item *item = &task->items[task->cursor++];

        if (item->state == ITEM_OPEN &&
            !evaluation_start(desk, task, item, err))
            return false;
    }
    return true;
}

// False when the desk has closed: its tasks are the session's again then.
static bool start_task(struct desk *desk, struct task *task)
{
    struct err err = ERR_CLEAR;

    if (!ready(desk, task))
        return desk->state == DESK_OPEN;
    if (start_items(desk, task, &err))
        return true;
    desk_close(desk, &err);
    return false;
}

static void start_work(struct desk *desk)
{
    struct task *task = desk->tasks;

    while (task != NULL && desk->active < DESK_MAX_ACTIVE &&
           start_task(desk, task))
        task = task->next;
}

static bool has_hole(const struct task *task)
{
    for (size_t i = 0; i < task->n_items; i++)
        if (task->items[i].state == ITEM_HOLE)
            return true;
    return false;
}

static void collect_finished(struct desk *desk)
{
    struct task **at = &desk->tasks;

    while (*at != NULL) {
        struct task *task = *at;

        if (task->open > 0) {
            at = &task->next;
            continue;
        }
        *at = task->next;
        if (has_hole(task))
            err_set(&task->err, ERR_FAULT, "%s", desk->parked);
        to_finished(desk, task);
    }
    desk->last_task = at;
}

static void deliver_durable(struct desk *desk)
{
    uint64_t durable = store_durable(desk->engine->store);

    while (desk->finished != NULL && desk->finished->put <= durable) {
        struct task *task = desk->finished;

        desk->finished = task->next;
        if (desk->finished == NULL)
            desk->last_finished = &desk->finished;
        give_back(desk, task);
    }
}

void desk_work(struct desk *desk, int64_t now)
{
    struct err err = ERR_CLEAR;

    if (desk->state != DESK_OPEN)
        return;
    if (desk->failure.code != ERR_NONE)
        err = desk->failure;
    if (err.code != ERR_NONE || !store_healthy(desk->engine->store, &err)) {
        desk_close(desk, &err);
        return;
    }
    start_work(desk);
    if (desk->state == DESK_OPEN) {
        collect_finished(desk);
        deliver_durable(desk);
        desk_watch(desk, now);
    }
}

// --- notes ---

static void take_phase(struct desk *desk, const struct note *note)
{
    snprintf(desk->phase, sizeof desk->phase, "%.60s", note->text);
    desk->progress.trials = note->number;
}

static void take_text(struct desk *desk, const struct note *note)
{
    snprintf(desk->note, sizeof desk->note, "%s", note->text);
    history_event(desk->engine->store, desk->job_no, "note", -1, note->text,
                  NULL);
}

static void take_trial_end(struct desk *desk, const struct note *note)
{
    desk->progress.trial = note->end.number;
    history_trial_end(desk->engine->store, desk->job_no, &note->end, NULL);
}

// Calls whose item ended without them may still be out.
static void take_ended(struct desk *desk, const struct note *note)
{
    drop_evaluations(desk);
    desk->ending = note->ending;
    desk->state = DESK_ENDED;
}

static void take_note(struct desk *desk, const struct note *note)
{
    switch (note->kind) {
    case NOTE_TASK:
        take_task(desk, note->task);
        break;
    case NOTE_PHASE:
        take_phase(desk, note);
        break;
    case NOTE_TEXT:
        take_text(desk, note);
        break;
    case NOTE_TRIAL:
        take_trial_end(desk, note);
        break;
    case NOTE_BASELINE:
        desk->progress.baseline = note->score;
        break;
    case NOTE_BEST:
        desk->progress.best = note->score;
        desk->progress.best_low = note->low;
        desk->progress.best_high = note->high;
        break;
    case NOTE_ENDED:
        take_ended(desk, note);
        break;
    }
}

void desk_read_notes(struct desk *desk)
{
    struct note note;

    while (desk->state != DESK_ENDED && note_receive(desk->pair, &note, false))
        take_note(desk, &note);
}

// --- answers ---

void desk_paid(struct desk *desk, const struct flight *flight, int64_t now)
{
    desk->answered_ms = now;
    desk->paid[flight->exec ? ROLE_COUNT : (int)flight->role]++;
    desk->progress.prompt_tokens += flight->answer.prompt_tokens;
    desk->progress.generated_tokens += flight->answer.generated_tokens;
}

// What the user reads is cut where struct err ends: the remedy stands before
// what may be long.
static void name_parked(struct desk *desk, const struct flight *flight,
                        const struct task_item *item, const char *cause)
{
    char *out = desk->parked;
    size_t size = sizeof desk->parked;
    int n = item == NULL ? -1 : item->row;
    const struct row *row = n < 0 ? NULL : &desk->dataset->rows[n];

    if (row == NULL)
        snprintf(out, size,
                 "the call of `%.40s` (%s) failed wherever it was tried "
                 "(%.80s); run the same command again to try it again",
                 flight->step, flight->purpose, cause);
    else if (flight->exec)
        snprintf(out, size,
                 "example %d (%.40s:%d) got no score; `resume %.60s --exclude "
                 "%d` goes on without it; %s",
                 n, row->file, row->line, desk->id, n, cause);
    else
        snprintf(out, size,
                 "example %d (%.40s:%d): the call of `%.40s` failed wherever "
                 "it was tried (%.40s); `resume %.60s --exclude %d` goes on "
                 "without it",
                 n, row->file, row->line, flight->step, cause, desk->id, n);
}

void desk_parked(struct flights *flights, struct flight *flight,
                 const char *cause)
{
    for (struct waiter *w = flight->waiters; w != NULL; w = w->next) {
        struct desk *desk = (struct desk *)evaluation_desk(w->evaluation);

        name_parked(desk, flight, evaluation_item(w->evaluation), cause);
        log_warn("call-parked", "%s: %s", desk->id, desk->parked);
        evaluation_hole(w->evaluation);
    }
    flights_drop(flights, flight);
}

// --- for people ---

static void count_items(const struct desk *desk, struct progress *out)
{
    for (const struct task *t = desk->tasks; t != NULL; t = t->next) {
        out->total += (int64_t)t->n_items;
        out->done += (int64_t)(t->n_items - t->open);
    }
}

void desk_progress(const struct desk *desk, int64_t now, struct progress *out)
{
    struct dispatch_counts counts;
    int64_t calls = 0;

    dispatch_count(desk->engine->dispatch, &counts);
    *out = desk->progress;
    out->job = desk->id;
    out->phase = desk->phase;
    out->note = desk->note;
    for (int i = 0; i <= ROLE_COUNT; i++)
        calls += desk->paid[i];
    out->calls = calls;
    out->workers = (int64_t)desk->engine->crew.n;
    out->slots = (int64_t)counts.slots;
    out->in_flight = (int64_t)counts.leased;
    out->faults = counts.faults;
    out->elapsed_ms = now - desk->started_ms;
    if (out->elapsed_ms > 0)
        out->tokens_per_s =
            1000.0 * (double)(out->prompt_tokens + out->generated_tokens) /
            (double)out->elapsed_ms;
    // The trials to come as long as those before: later ones reuse more, so
    // this is rather too long.
    if (out->trial > 1 && out->trials >= out->trial)
        out->left_ms =
            out->elapsed_ms * (out->trials - out->trial) / out->trial;
    count_items(desk, out);
}
