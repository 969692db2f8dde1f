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
#include "coordinator/running_job_history.h"
#include "coordinator/running_job_models.h"
#include "coordinator/running_job_progress.h"
#include "coordinator/running_job_state.h"
#include "coordinator/running_job_wait.h"
#include "coordinator/task_room.h"
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

static void give_back_all(struct running_job *running, struct task_list *list)
{
    while (list->first != NULL) {
        struct task *task = list->first;

        list->first = task->next;
        if (task->err.code == ERR_NONE)
            task->err = running->closing;
        give_back(running, task);
    }
    list->last = &list->first;
}

void running_job_close(struct running_job *running, const struct err *why)
{
    if (running->state != RUNNING_JOB_OPEN)
        return;
    running->state = RUNNING_JOB_CLOSING;
    running->closing = *why;
    log_info("job-closing", "%s: %s", running->id, why->text);
    job_work_leave(&running->work);
    give_back_all(running, &running->tasks);
    give_back_all(running, &running->finished);
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

bool running_job_set_share(struct running_job *running,
                           const struct job_share *share, struct err *err)
{
    struct request *request = running->request;
    struct buf options = BUF_INIT(1 << 20);
    bool ok;

    if (share->max_workers > 0 &&
        !dispatch_set_limit(running->engine->dispatch, running->work.number,
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

// Looking at the clock takes as long as filling an item.
static bool may_fill(struct running_job *running, const struct task *task)
{
    return task->known < task->n_items &&
           (task->known % ITEMS_AT_ONCE != 0 ||
            !turn_is_over(&running->engine->turn));
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

        if (task_room_is_awaited(task, at))
            continue;
        if (!running_job_use_stored(running, task, at, err))
            return false;
    }
    return true;
}

static void append(struct task_list *list, struct task *task)
{
    task->next = NULL;
    *list->last = task;
    list->last = &task->next;
}

// Queues the task until everything it depends on is durable.
static void queue_finished(struct running_job *running, struct task *task)
{
    task->put = store_last_put(running->engine->store);
    append(&running->finished, task);
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
        (void)running_job_admit(running, task, &err);
    append(&running->tasks, task);
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

// Returns true if the next item of the task should begin now.
static bool may_start(const struct running_job *running, struct task *task)
{
    bool for_good;

    if (task->cursor == task->n_items ||
        running->work.active >= RUNNING_JOB_MAX_ACTIVE)
        return false;
    if (!task->limited || task_room_has(task, &for_good))
        return true;
    if (for_good)
        task_room_end(task);
    return false;
}

static bool start_item(struct running_job *running, struct task *task,
                       size_t at, struct err *err)
{
    if (task->kept && task_room_is_awaited(task, at) &&
        !running_job_use_stored(running, task, at, err))
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
            task_room_end(task);
        return true;
    }
    running_job_close(running, &err);
    return false;
}

static bool fill_tasks(struct running_job *running)
{
    struct err err = ERR_CLEAR;

    for (struct task *task = running->tasks.first; task != NULL;
         task = task->next)
        if (!fill_known(running, task, &err)) {
            running_job_close(running, &err);
            return false;
        }
    return true;
}

static void start_work(struct running_job *running)
{
    struct task *task = running->engine->behind ? NULL : running->tasks.first;

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
        err_set(&task->err, ERR_FAULT, "%s", running->work.parked.text);
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
    struct task **at = &running->tasks.first;

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
    running->tasks.last = at;
}

static void deliver_durable(struct running_job *running)
{
    uint64_t durable = store_durable(running->engine->store);
    struct task_list *list = &running->finished;

    while (list->first != NULL && list->first->put <= durable) {
        struct task *task = list->first;

        list->first = task->next;
        if (list->first == NULL)
            list->last = &list->first;
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
