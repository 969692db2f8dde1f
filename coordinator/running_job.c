#include "coordinator/running_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "common/json.h"
#include "common/log.h"
#include "common/text.h"
#include "coordinator/evaluation.h"
#include "coordinator/job_work.h"
#include "coordinator/prompt_prefixes.h"
#include "coordinator/running_job_progress.h"
#include "coordinator/running_job_state.h"
#include "coordinator/running_job_wait.h"
#include "retrieve/retrieval.h"
#include "store/calls.h"
#include "store/history.h"

enum { ITEMS_AT_ONCE = 16 }; // filled between two looks at the clock

// --- closing ---

static void give_back(struct running_job *running, struct task *task)
{
    prompt_prefixes_close(running->engine, task);
    note_send(running->pair, &(struct note){.kind = NOTE_TASK, .task = task});
}

static void give_back_all(struct running_job *running, struct task **list,
                          struct task ***last)
{
    while (*list != NULL) {
        struct task *task = *list;

        *list = task->next;
        if (task->err.code == ERR_NONE)
            task->err = running->closing;
        give_back(running, task);
    }
    *last = list;
}

void running_job_close(struct running_job *running, const struct err *why)
{
    if (running->state != RUNNING_JOB_OPEN)
        return;
    running->state = RUNNING_JOB_CLOSING;
    running->closing = *why;
    log_info("job-closing", "%s: %s", running->id, why->text);
    job_work_leave(&running->work);
    give_back_all(running, &running->tasks, &running->last_task);
    give_back_all(running, &running->finished, &running->last_finished);
}

// Two people may end the job at the same moment, or it may end while they ask.
// A job that its coordinator interrupts will be resumed, so that is not a stop.
bool running_job_end(struct running_job *running, const struct err *why,
                     struct err *err)
{
    const struct err *first = &running->closing;

    running_job_close(running, why);
    running->work.awaits_worker = false;
    if (first->code == why->code && !running->interrupted)
        return true;
    err_set(err, ERR_INPUT, "job %.80s is already ending%s%s", running->id,
            first->code == ERR_NONE ? "" : ": ", first->text);
    return false;
}

void running_job_interrupt(struct running_job *running, const struct err *why)
{
    running->interrupted = running->state == RUNNING_JOB_OPEN;
    running_job_close(running, why);
}

const char *running_job_changes(const struct running_job *running)
{
    return running->changes;
}

// asked is 0 if nothing was asked for.
static bool differs(int64_t asked, int64_t there)
{
    return asked != 0 && asked != there;
}

void running_job_tell_ignored(const struct running_job *running,
                              const struct running_job *asked, char *out,
                              size_t size)
{
    const struct job_budget *wanted = &asked->job->budget;
    const struct job_budget *there = &running->job->budget;
    bool share =
        differs(asked->request->priority, running->work.priority) ||
        differs(asked->request->max_workers, running->request->max_workers);
    bool budget = differs(wanted->max_calls, there->max_calls) ||
                  differs(wanted->max_tokens, there->max_tokens) ||
                  differs(wanted->max_time_ms, there->max_time_ms);

    text_print(out, size, "%s%s%s%s",
               share || budget ? "the job is already running and keeps its "
                               : "",
               budget ? "budget: to change that, `promptcc stop` it and submit "
                        "it again"
                      : "",
               share && budget ? "; it keeps its " : "",
               share ? "share of the workers, which `promptcc resume` changes, "
                       "with --priority and --max-workers"
                     : "");
}

bool running_job_share(struct running_job *running,
                       const struct job_share *share, struct err *err)
{
    struct request *request = running->request;
    struct buf options = BUF_INIT(1 << 20);
    bool ok;

    if (share->max_workers > 0 &&
        !dispatch_limit(running->engine->dispatch, running->work.number,
                        share->max_workers, err))
        return false;
    if (share->max_workers > 0)
        request->max_workers = share->max_workers;
    if (share->priority > 0)
        request->priority = running->work.priority = share->priority;
    ok = request_write(request, &options, err) &&
         history_put_options(running->engine->store, running->work.job_no,
                             options.data, err);
    buf_release(&options);
    return ok;
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
                running->id, (long long)task->trial);
    *err = why;
    return false;
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

// Settles an item by its stored evaluation, if there is one.
static bool use_stored(struct running_job *running, struct task *task,
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

// Looking at the clock takes as long as filling an item.
static bool may_fill(struct running_job *running, const struct task *task)
{
    return task->known < task->n_items &&
           (task->known % ITEMS_AT_ONCE != 0 ||
            !turn_is_over(&running->engine->turn));
}

// Returns true if the item may use its stored evaluation only once the limit of
// its task lets the item begin. Another trial of the same candidate may since
// have scored a row that had no room. Without this check, a replay would find
// that score and do better than the run did.
static bool waits_for_room(const struct task *task, size_t at)
{
    return task->limited && !task->marks[at].paid;
}

// Fills in what is stored, as far as this turn has time: a replay of a large
// job finds all its examples here. Returns false on failure.
static bool fill_known(struct running_job *running, struct task *task,
                       struct err *err)
{
    if (!task->kept)
        task->known = task->n_items;
    while (may_fill(running, task)) {
        size_t at = task->known++;

        if (waits_for_room(task, at))
            continue;
        if (!use_stored(running, task, at, err))
            return false;
    }
    return true;
}

static void append(struct task ***last, struct task *task)
{
    task->next = NULL;
    **last = task;
    *last = &task->next;
}

// Queues the task until everything it depends on is durable.
static void queue_finished(struct running_job *running, struct task *task)
{
    task->put = store_last_put(running->engine->store);
    append(&running->last_finished, task);
}

static void take_task(struct running_job *running, struct task *task)
{
    struct err err = ERR_CLEAR;

    task->next = NULL;
    if (running->state != RUNNING_JOB_OPEN) {
        task->err = running->closing;
        give_back(running, task);
        return;
    }
    task->age = ++running->task_age;
    if (prompt_prefixes_open(task, &err))
        (void)((!task->kept || put_candidate(running, task, &err)) &&
               admit_trial(running, task, &err));
    append(&running->last_task, task);
    if (err.code != ERR_NONE)
        running_job_close(running, &err);
}

static bool has_model(struct running_job *running, enum role role,
                      struct err *err)
{
    return running->work.models[role].bound ||
           running_job_bind(running, role, err);
}

// Returns true if the task has all it needs to start. Sets err if it never
// will.
static bool ready(struct running_job *running, const struct task *task,
                  struct err *err)
{
    for (int r = 0; task->open > 0 && r < ROLE_COUNT; r++)
        if (running_job_needs(running, task, (enum role)r) &&
            !has_model(running, (enum role)r, err))
            return false;
    return true;
}

// Ends the items that have no answer yet without one: the budget is used up.
static void end_unpaid(struct task *task)
{
    for (; task->cursor < task->n_items; task->cursor++) {
        struct task_item none = TASK_ITEM_INIT(task->rows[task->cursor]);

        none.state = ITEM_UNPAID;
        if (task->marks[task->cursor].state != ITEM_OPEN)
            continue;
        if (task->items != NULL)
            task->items[task->cursor].state = ITEM_UNPAID;
        task_settle(task, task->cursor, &none, NULL, 0);
    }
}

// Returns what an item takes of its task's limit: while it is open, the most
// that it may come to.
static struct use use_of(const struct task *task, size_t i)
{
    const struct task_mark *mark = &task->marks[i];

    if (mark->paid)
        return (struct use){0};
    if (mark->state == ITEM_OPEN)
        return task->item_most;
    return (struct use){.calls = mark->n_calls, .tokens = mark->tokens};
}

static bool is_under_way(const struct task *task, size_t i)
{
    return !task->marks[i].paid && task->marks[i].state == ITEM_OPEN;
}

// Returns true if a task with a limit may begin its next item. Items before it
// count with what they used, or while they are in progress, with the most that
// they can use. So the first item that has no room is the same however fast the
// others were: once nothing is in progress, all items before it count exactly.
// *for_good is set if waiting will not make room.
//
// The items before the first open one are added up only once, so that a task of
// n items does not take n * n steps.
static bool has_room(struct task *task, bool *for_good)
{
    struct use sum = use_of(task, task->cursor);

    while (task->closed < task->cursor && !is_under_way(task, task->closed)) {
        struct use one = use_of(task, task->closed++);

        task->used.calls += one.calls;
        task->used.tokens += one.tokens;
    }
    sum.calls += task->used.calls;
    sum.tokens += task->used.tokens;
    *for_good = true;
    for (size_t i = task->closed; i < task->cursor; i++) {
        struct use one = use_of(task, i);

        sum.calls += one.calls;
        sum.tokens += one.tokens;
        *for_good = *for_good && !is_under_way(task, i);
    }
    task->out_of_tokens = sum.calls <= task->limit.calls;
    return sum.calls <= task->limit.calls && sum.tokens <= task->limit.tokens;
}

// Returns true if the next item of the task should begin now.
static bool may_start(const struct running_job *running, struct task *task)
{
    bool for_good;

    if (task->cursor == task->n_items ||
        running->work.active >= RUNNING_JOB_MAX_ACTIVE)
        return false;
    if (!task->limited || has_room(task, &for_good))
        return true;
    if (for_good)
        end_unpaid(task);
    return false;
}

static bool start_item(struct running_job *running, struct task *task,
                       size_t at, struct err *err)
{
    if (task->kept && waits_for_room(task, at) &&
        !use_stored(running, task, at, err))
        return false;
    return task->marks[at].state != ITEM_OPEN ||
           evaluation_start(&running->work, task, at, err);
}

static bool start_items(struct running_job *running, struct task *task,
                        struct err *err)
{
    while (may_start(running, task)) {
        bool open = task->marks[task->cursor].state == ITEM_OPEN;

        if (open && turn_is_over(&running->engine->turn))
            break;
        task->cursor++;
        if (open && !start_item(running, task, task->cursor - 1, err))
            return false;
    }
    return true;
}

// Returns false if the running job has closed; then its tasks belong to the
// session again.
static bool start_task(struct running_job *running, struct task *task)
{
    struct err err = ERR_CLEAR;

    if (task->known < task->n_items)
        return true; // the rest follows in another turn
    if (ready(running, task, &err)) {
        if (start_items(running, task, &err))
            return true;
    } else if (err.code == ERR_NONE) {
        if (running->work.time_over)
            end_unpaid(task);
        return true;
    }
    running_job_close(running, &err);
    return false;
}

static bool fill_tasks(struct running_job *running)
{
    struct err err = ERR_CLEAR;

    for (struct task *task = running->tasks; task != NULL; task = task->next)
        if (!fill_known(running, task, &err)) {
            running_job_close(running, &err);
            return false;
        }
    return true;
}

static void start_work(struct running_job *running)
{
    struct task *task = running->engine->behind ? NULL : running->tasks;

    while (task != NULL && running->work.active < RUNNING_JOB_MAX_ACTIVE &&
           start_task(running, task))
        task = task->next;
}

static bool has_item(const struct task *task, enum item_state state)
{
    for (size_t i = 0; i < task->n_items; i++)
        if (task->marks[i].state == state)
            return true;
    return false;
}

// Says why the task is not complete; nothing if it is.
static void say_what_is_missing(const struct running_job *running,
                                struct task *task)
{
    const struct job_budget *budget = &running->job->budget;

    if (has_item(task, ITEM_HOLE))
        err_set(&task->err, ERR_FAULT, "%s", running->work.parked);
    else if (!has_item(task, ITEM_UNPAID))
        return;
    else if (running->work.time_over)
        err_set(&task->err, ERR_BUDGET, "the time budget, %.1f s, is used up%s",
                (double)budget->max_time_ms / 1000,
                job_work_total_paid(&running->work) == 0
                    ? ", and no call was answered in that time: raise "
                      "max_time, or check the model servers"
                    : "");
    else
        err_set(&task->err, ERR_BUDGET,
                "the budget of %s was used up before the end",
                task->out_of_tokens ? "tokens" : "calls");
}

// --- finished tasks

static void collect_finished(struct running_job *running)
{
    struct task **at = &running->tasks;

    while (*at != NULL) {
        struct task *task = *at;

        if (task->open > 0) {
            at = &task->next;
            continue;
        }
        *at = task->next;
        running_job_count(running, task);
        say_what_is_missing(running, task);
        queue_finished(running, task);
    }
    running->last_task = at;
}

static void deliver_durable(struct running_job *running)
{
    uint64_t durable = store_durable(running->engine->store);

    while (running->finished != NULL && running->finished->put <= durable) {
        struct task *task = running->finished;

        running->finished = task->next;
        if (running->finished == NULL)
            running->last_finished = &running->finished;
        give_back(running, task);
    }
}

// --- the budget of time ---

static void watch_time(struct running_job *running, int64_t now)
{
    int64_t most = running->job->budget.max_time_ms;

    if (most == 0 || running->work.time_over ||
        running->request->action != REQUEST_RUN ||
        running_job_is_alone(running) ||
        running->wall_before_ms + now - running->started_ms < most)
        return;
    log_info("time-over", "%s: max_time is reached", running->id);
    job_work_break_off(&running->work);
}

void running_job_work(struct running_job *running, int64_t now)
{
    struct err err = ERR_CLEAR;

    if (running->state != RUNNING_JOB_OPEN)
        return;
    if (running->work.failure.code != ERR_NONE)
        err = running->work.failure;
    if (err.code != ERR_NONE || !store_healthy(running->engine->store, &err)) {
        running_job_close(running, &err);
        return;
    }
    watch_time(running, now);
    if (fill_tasks(running))
        start_work(running);
    if (running->state == RUNNING_JOB_OPEN) {
        collect_finished(running);
        deliver_durable(running);
        running_job_follow(running, now);
        if (!running_job_watch(running, now, &err)) {
            running->work.awaits_worker = err.code == ERR_FAULT;
            running_job_close(running, &err);
        }
    }
}

// --- notes ---

static void take_phase(struct running_job *running, const struct note *note)
{
    text_print(running->phase, sizeof running->phase, "%.60s", note->text);
}

static void put_note(const struct running_job *running)
{
    history_event(running->engine->store, running->work.job_no, "note", -1,
                  running->note, NULL);
}

static void take_text(struct running_job *running, const struct note *note)
{
    struct store *store = running->engine->store;
    struct call_answer answer = {0};
    struct err ignored = ERR_CLEAR;

    // What does not fit of the reply is cut between characters.
    if (note->call == 0 || !calls_load(store, note->call, &answer, &ignored))
        answer.text_len = 0;
    text_print(running->note, sizeof running->note, "%s%.*s", note->text,
               (int)answer.text_len, answer.text_len == 0 ? "" : answer.text);
    call_answer_release(&answer);
    put_note(running);
}

// Warns of searches that find nothing: the steps after them make do without a
// passage, and nothing else would reveal it. A replay reads scores and makes no
// searches.
static void warn_of_searches(struct running_job *running)
{
    const struct program *program = running->job->program;
    const struct retrieval *retrieval = running->work.retrieval;
    char asked_text[TEXT_COUNTED_BYTES];
    size_t asked = 0;

    for (size_t s = 0; retrieval != NULL && s < program->n_steps; s++) {
        if (!retrieval_finds_nothing(retrieval, (int)s, &asked))
            continue;
        text_print(running->note, sizeof running->note,
                   "warning: `%s` found no passage for any of %s: no word of "
                   "them is in what it searches",
                   program->steps[s].name,
                   text_counted(asked_text, (int64_t)asked, "question"));
        log_warn("finds-nothing", "%s: `%s` found no passage for any query",
                 running->id, program->steps[s].name);
        put_note(running);
    }
}

static void take_trial_end(struct running_job *running, const struct note *note)
{
    if (note->end.number == 1)
        warn_of_searches(running);
    running->progress.trial = note->end.number;
    history_trial_end(running->engine->store, running->work.job_no, &note->end,
                      NULL);
}

static void take_best(struct running_job *running,
                      const struct history_best *best)
{
    running->progress.best = best->score;
    running->progress.best_low = best->low;
    running->progress.best_high = best->high;
    running->progress.best_trial = best->trial;
    running->progress.baseline = best->baseline;
    history_put_best(running->engine->store, running->work.job_no, best, NULL);
}

// Calls whose item ended without them may still be in flight.
static void take_ended(struct running_job *running, const struct note *note)
{
    job_work_leave(&running->work);
    running->ending = note->ending;
    running->state = RUNNING_JOB_ENDED;
}

static void take_note(struct running_job *running, const struct note *note)
{
    switch (note->kind) {
    case NOTE_TASK:
        take_task(running, note->task);
        break;
    case NOTE_PHASE:
        take_phase(running, note);
        break;
    case NOTE_EXPECT:
        running_job_expect(running, note);
        break;
    case NOTE_TEXT:
        take_text(running, note);
        break;
    case NOTE_TRIAL:
        take_trial_end(running, note);
        break;
    case NOTE_BEST:
        take_best(running, &note->best);
        break;
    case NOTE_ENDED:
        take_ended(running, note);
        break;
    }
}

void running_job_read_notes(struct running_job *running)
{
    struct note note;

    while (running->state < RUNNING_JOB_ENDED &&
           note_receive(running->pair, &note))
        take_note(running, &note);
}
