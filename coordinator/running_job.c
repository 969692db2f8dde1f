#include "coordinator/running_job.h"

#include <zmq.h>

#include "common/log.h"
#include "coordinator/evaluation.h"
#include "coordinator/job_work.h"
#include "coordinator/prompt_prefixes.h"
#include "coordinator/running_job_history.h"
#include "coordinator/running_job_models.h"
#include "coordinator/running_job_news.h"
#include "coordinator/running_job_progress.h"
#include "coordinator/running_job_state.h"
#include "coordinator/running_job_wait.h"
#include "coordinator/task_room.h"

enum { ITEMS_AT_ONCE = 16 }; // filled between two looks at the clock

// --- closing ---

static void give_back(struct running_job *running, struct task *task)
{
    prompt_prefixes_close(running->engine, task);
    note_send(running->pair, &(struct note){.kind = NOTE_TASK, .task = task});
}

static void give_back_all(struct running_job *running, struct task_list *list)
{
    struct task *task;

    while ((task = task_list_take(list)) != NULL) {
        if (task->err.code == ERR_NONE)
            task->err = running->closing;
        give_back(running, task);
    }
}

void running_job_close(struct running_job *running, const struct err *why)
{
    if (running->state != RUNNING_JOB_OPEN)
        return;
    running->state = RUNNING_JOB_CLOSING;
    running->closing = *why;
    log_info("job-closing", "%s: %s", running->spec.id, why->text);
    job_work_leave(&running->work);
    give_back_all(running, &running->tasks);
    give_back_all(running, &running->finished);
}

void running_job_interrupt(struct running_job *running, const struct err *why)
{
    running->interrupted = running->state == RUNNING_JOB_OPEN;
    running_job_close(running, why);
}

// --- tasks ---

// Looking at the clock takes as long as filling an item.
static bool may_fill(struct running_job *running, const struct task *task)
{
    return task->run.known < task->n_items &&
           (task->run.known % ITEMS_AT_ONCE != 0 ||
            !turn_is_over(&running->engine->turn));
}

// Fills in what is stored, as far as this turn has time: a replay of a large
// job finds all its examples here. Returns false on failure.
static bool fill_known(struct running_job *running, struct task *task,
                       struct err *err)
{
    if (!task->kept)
        task->run.known = task->n_items;
    while (may_fill(running, task)) {
        size_t at = task->run.known++;

        if (task_room_is_awaited(task, at))
            continue;
        if (!running_job_use_stored(running, task, at, err))
            return false;
    }
    return true;
}

// Queues the task until everything it depends on is durable.
static void queue_finished(struct running_job *running, struct task *task)
{
    task->run.put = store_last_put(running->engine->store);
    task_list_append(&running->finished, task);
}

static void take_task(struct running_job *running, struct task *task)
{
    struct err err = ERR_CLEAR;

    task->run.next = NULL;
    if (running->state != RUNNING_JOB_OPEN) {
        task->err = running->closing;
        give_back(running, task);
        return;
    }
    task->run.age = ++running->task_age;
    if (prompt_prefixes_open(task, &err))
        (void)running_job_admit(running, task, &err);
    task_list_append(&running->tasks, task);
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
    for (int r = 0; task->run.open > 0 && r < ROLE_COUNT; r++)
        if (running_job_needs(running, task, (enum role)r) &&
            !has_model(running, (enum role)r, err))
            return false;
    return true;
}

// Returns true if the next item of the task should begin now.
static bool may_start(const struct running_job *running, struct task *task)
{
    bool for_good;

    if (task->run.cursor == task->n_items ||
        running->work.active >= RUNNING_JOB_MAX_ACTIVE)
        return false;
    if (!task->limit.set || task_room_has(task, &for_good))
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
        bool open = task->marks[task->run.cursor].state == ITEM_OPEN;

        if (open && turn_is_over(&running->engine->turn))
            break;
        task->run.cursor++;
        if (open && !start_item(running, task, task->run.cursor - 1, err))
            return false;
    }
    return true;
}

// Returns false if the running job has closed; then its tasks belong to the
// session again.
static bool start_task(struct running_job *running, struct task *task)
{
    struct err err = ERR_CLEAR;

    if (task->run.known < task->n_items)
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
         task = task->run.next)
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
        task = task->run.next;
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
    const struct job_budget *budget = &running->spec.job->budget;

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
                task->run.out_of_tokens ? "tokens" : "calls");
}

// --- finished tasks

static void collect_finished(struct running_job *running)
{
    struct task **at = &running->tasks.first;

    while (*at != NULL) {
        struct task *task = *at;

        if (task->run.open > 0) {
            at = &task->run.next;
            continue;
        }
        (void)task_list_take_at(&running->tasks, at);
        running_job_count(running, task);
        say_what_is_missing(running, task);
        queue_finished(running, task);
    }
}

static void deliver_durable(struct running_job *running)
{
    uint64_t durable = store_durable(running->engine->store);
    struct task_list *list = &running->finished;

    while (list->first != NULL && list->first->run.put <= durable)
        give_back(running, task_list_take(list));
}

// --- the budget of time ---

static void watch_time(struct running_job *running, int64_t now)
{
    int64_t most = running->spec.job->budget.max_time_ms;

    if (most == 0 || running->work.time_over ||
        running->spec.request->action != REQUEST_RUN ||
        running_job_is_alone(running) ||
        running->past.wall_ms + now - running->started_ms < most)
        return;
    log_info("time-over", "%s: max_time is reached", running->spec.id);
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

// Calls whose item ended without them may still be in flight.
static void take_ended(struct running_job *running, const struct note *note)
{
    job_work_leave(&running->work);
    running->end.ending = note->ending;
    running->state = RUNNING_JOB_ENDED;
}

static void take_note(struct running_job *running, const struct note *note)
{
    switch (note->kind) {
    case NOTE_TASK:
        take_task(running, note->task);
        break;
    case NOTE_ENDED:
        take_ended(running, note);
        break;
    case NOTE_PHASE:
    case NOTE_EXPECT:
    case NOTE_TEXT:
    case NOTE_TRIAL:
    case NOTE_BEST:
        running_job_take_news(running, note);
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
