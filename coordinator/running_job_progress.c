#include "coordinator/running_job_progress.h"

#include "coordinator/job_work.h"

// Returns how many examples of the task were run, without those that cost
// nothing: these are filled in first, and all at once.
static int64_t count_run(const struct task *task)
{
    size_t ended = task->n_items - task->run.open;

    return task->role == ROLE_EMBED || ended < task->n_paid
               ? 0
               : (int64_t)(ended - task->n_paid);
}

void running_job_count(struct running_job *running, const struct task *task)
{
    running->view.examples += count_run(task);
}

static int64_t count_all_run(const struct running_job *running)
{
    int64_t n = running->view.examples;

    for (const struct task *t = running->tasks.first; t != NULL;
         t = t->run.next)
        n += count_run(t);
    return n;
}

void running_job_expect(struct running_job *running, const struct note *note)
{
    running->view.progress.trials = note->trials;
    running->view.progress.expected = note->examples;
    course_expect(&running->view.course, note->examples,
                  count_all_run(running));
}

static bool could_work(const struct running_job *running)
{
    struct dispatch_counts counts;

    dispatch_count(running->engine->dispatch, &counts);
    return counts.slots > 0 && !store_troubled(running->engine->store);
}

void running_job_follow(struct running_job *running, int64_t now)
{
    if (course_turn_is_due(&running->view.course, now))
        course_turn(&running->view.course, now, could_work(running));
    if (running->work.past_replay && course_is_due(&running->view.course, now))
        course_look(&running->view.course, now, count_all_run(running));
}

// --- what people see ---

static void count_items(const struct running_job *running, struct progress *out)
{
    for (const struct task *t = running->tasks.first; t != NULL;
         t = t->run.next) {
        out->total += (int64_t)t->n_items;
        out->done += (int64_t)(t->n_items - t->run.open);
    }
}

// Returns 0 if there is no limit.
static int64_t most_time(const struct running_job *running)
{
    return running_job_is_run(running) ? running->spec.job->budget.max_time_ms
                                       : 0;
}

// Returns how far the job is towards the end of its examples or of its time,
// whichever comes first.
static double share_of(const struct running_job *running,
                       const struct progress *progress)
{
    double share = course_share(&running->view.course, progress->examples);
    int64_t most = most_time(running);
    double by_time = most > 0 ? (double)progress->elapsed_ms / (double)most : 0;

    if (by_time > 1)
        by_time = 1;
    return most > 0 && by_time > share ? by_time : share;
}

// Returns -1 if the time left is not known: nobody knows when a server will
// come, or the disk will have room, and a job that closes does so at once. The
// limit of its time counts if nothing else is known, or if it comes earlier.
static int64_t left_of(const struct running_job *running, int64_t now,
                       const struct progress *progress)
{
    int64_t most = most_time(running);
    int64_t left = course_left(&running->view.course, now, progress->examples,
                               progress->slots);
    int64_t by_time = most - progress->elapsed_ms;

    if (running->state != RUNNING_JOB_OPEN || progress->slots == 0 ||
        store_troubled(running->engine->store))
        return -1;
    if (most > 0 && (progress->expected == 0 || left > by_time))
        left = by_time > 0 ? by_time : 0;
    return left;
}

void running_job_progress(const struct running_job *running, int64_t now,
                          struct progress *out)
{
    const struct job_work *work = &running->work;
    size_t leased =
        dispatch_job_leased(running->engine->dispatch, work->number);
    struct dispatch_counts counts;

    dispatch_count(running->engine->dispatch, &counts);
    *out = running->view.progress;
    out->job = running->spec.id;
    out->phase = running->view.phase;
    out->note =
        store_troubled(running->engine->store)
            ? "the disk of the store is full or failing: make room, and "
              "the job continues"
            : running->view.note;
    out->calls = work->paid_before + job_work_total_paid(work);
    out->reused = job_uses_free_of_cost(&work->uses, out->calls);
    out->prompt_tokens = work->prompt_before + work->prompt_tokens;
    out->generated_tokens = work->generated_before + work->generated_tokens;
    out->workers = (int64_t)running->engine->workers.n;
    out->slots = (int64_t)counts.slots;
    // A worker may hold one call more than it has slots; it does not work on
    // that one yet.
    out->in_flight = (int64_t)(leased < counts.slots ? leased : counts.slots);
    out->faults = work->faults;
    if (now > running->started_ms)
        out->tokens_per_s =
            1000.0 * (double)(work->prompt_tokens + work->generated_tokens) /
            (double)(now - running->started_ms);
    // The time of all sessions, as in the result, since the trials are of all
    // sessions too.
    out->elapsed_ms =
        (running_job_is_run(running) ? running->past.wall_ms : 0) + now -
        running->started_ms;
    out->examples = count_all_run(running);
    out->share = share_of(running, out);
    out->left_ms = left_of(running, now, out);
    count_items(running, out);
}
