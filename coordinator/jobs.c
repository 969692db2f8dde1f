#include "coordinator/jobs.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "coordinator/answerers/programs.h"
#include "coordinator/job_work.h"
#include "coordinator/jobs_state.h"
#include "coordinator/landing.h"

enum { SAVE_TIME_MS = 5000 }; // between two times the time spent is saved

// --- beginning ---

// Finds the run of the same job, so that it can be joined. Evaluations share
// only their calls: the id of a job does not cover what an evaluation scores.
static struct running_job *find_same(void *user,
                                     const struct running_job *running)
{
    struct jobs *jobs = user;

    if (!running_job_is_run(running))
        return NULL;
    for (struct running_job *d = jobs->running; d != NULL;
         d = running_job_next(d))
        if (running_job_same_history(d, running))
            return d;
    return NULL;
}

// Says why a job ends, or does not begin, when the coordinator is told to stop.
// A user of `run` is asked to run it again; `remote` is for clients that
// submitted over the network.
static void say_stopped(const struct jobs *jobs, const char *remote,
                        struct err *err)
{
    err_set(err, ERR_STOPPED, "%s",
            jobs->engine->local
                ? "stopped; run the same command again to continue"
                : remote);
}

static bool begin_job(void *user, struct running_job *running, struct err *err)
{
    struct jobs *jobs = user;

    if (jobs->draining) {
        say_stopped(jobs,
                    "the coordinator stopped before the job began; "
                    "submit it again once it is back",
                    err);
        return false;
    }
    if (jobs->n >= JOBS_MOST) {
        err_set(err, ERR_BUSY,
                "the coordinator takes no more jobs now (%zu are running): "
                "submit again later",
                jobs->n);
        return false;
    }
    if (!running_job_begin(running, clock_monotonic_ms(), err))
        return false;
    log_info("job-begun", "%s", running_job_id(running));
    paused_jobs_begun(&jobs->paused, running_job_id(running));
    running_jobs_add(&jobs->running, running);
    jobs->n++;
    return true;
}

// Tells what became of a job that somebody wanted to begin.
static void after_opening(void *user, const struct requester *requester,
                          const struct opened *opened)
{
    struct jobs *jobs = user;

    // The requester gets the same message.
    if (opened->running == NULL)
        log_line(requester->kind == REQUESTER_NONE ? LOG_WARN : LOG_INFO,
                 "job-not-begun", "%s: %s",
                 opened->job_id == NULL ? "a job" : opened->job_id,
                 opened->err->text);
    if (opened->running == NULL && requester->kind == REQUESTER_NONE &&
        !opened->ended)
        jobs_note_not_resumed(jobs, requester->job_no, opened->job_id,
                              opened->err);
    jobs->handlers.opened(jobs->handlers.user, requester, opened);
}

bool jobs_submit(struct jobs *jobs, const struct requester *requester,
                 const struct submit *submit, struct arena *arena,
                 struct err *err)
{
    return openings_submit(&jobs->openings, requester, submit, arena, err);
}

bool jobs_submit_long(struct jobs *jobs, const struct requester *requester,
                      struct buf *bytes, struct err *err)
{
    return openings_submit_long(&jobs->openings, requester, bytes, err);
}

bool jobs_resume(struct jobs *jobs, const struct requester *requester,
                 const char *job_id, struct resumption *changes,
                 struct err *err)
{
    return openings_resume(&jobs->openings, requester, job_id, changes, err);
}

bool jobs_is_running(const struct jobs *jobs, const char *job_id)
{
    const struct running_job *running =
        running_job_find(jobs->running, job_id, REQUEST_RUN);

    return running != NULL && running_job_is_open(running);
}

// --- running ---

struct running_job *jobs_first(const struct jobs *jobs)
{
    return jobs->running;
}

size_t jobs_count(const struct jobs *jobs)
{
    return jobs->n;
}

static void close_all(struct jobs *jobs, const struct err *why)
{
    for (struct running_job *running = jobs->running; running != NULL;
         running = running_job_next(running))
        running_job_close(running, why);
}

void jobs_answered(struct jobs *jobs, struct flight *flight, const char *by,
                   const struct call_answer *answer)
{
    struct err err = ERR_CLEAR;

    if (!landing_take(jobs->engine, flight, by, answer, &err))
        close_all(jobs, &err);
}

static void on_program_answered(void *user, struct flight *flight,
                                const struct call_answer *answer)
{
    jobs_answered(user, flight, "exec", answer);
}

static void on_program_failed(void *user, struct flight *flight,
                              const char *cause)
{
    struct jobs *jobs = user;

    job_work_park(&jobs->engine->flights, flight, cause);
}

void jobs_work(struct jobs *jobs, int64_t now)
{
    const struct programs_handlers programs = {.user = jobs,
                                               .answered = on_program_answered,
                                               .failed = on_program_failed};
    struct running_job *next;

    for (struct running_job *running = jobs->running; running != NULL;
         running = next) {
        next = running_job_next(running);
        running_job_read_notes(running);
        job_programs_read(running_job_work_of(running), &programs);
        running_job_work(running, now);
        if (!running_job_settle(running, now))
            continue;
        jobs->handlers.ended(jobs->handlers.user, running);
        jobs_note_end(jobs, running, now);
        running_jobs_remove(&jobs->running, running);
        jobs->n--;
        running_job_discard(running);
        openings_wake(&jobs->openings);
    }
}

void jobs_save_time(struct jobs *jobs, int64_t now)
{
    if (now - jobs->save_ms < SAVE_TIME_MS)
        return;
    jobs->save_ms = now;
    for (struct running_job *running = jobs->running; running != NULL;
         running = running_job_next(running))
        if (!running_job_has_ended(running))
            running_job_save_time(running, now);
}

bool jobs_have_busy_programs(const struct jobs *jobs)
{
    for (struct running_job *running = jobs->running; running != NULL;
         running = running_job_next(running))
        if (job_programs_are_busy(running_job_work_of(running)->programs))
            return true;
    return false;
}

// --- when the coordinator stops ---

// A coordinator on the network leaves its jobs in the store for the next one.
// What `run` does in its own process ends with the process.
void jobs_drain(struct jobs *jobs)
{
    struct err why = ERR_CLEAR;

    jobs->draining = true;
    say_stopped(
        jobs, "the coordinator stopped; the job continues when it starts again",
        &why);
    if (jobs->engine->local) {
        close_all(jobs, &why);
        return;
    }
    for (struct running_job *running = jobs->running; running != NULL;
         running = running_job_next(running))
        running_job_interrupt(running, &why);
}

bool jobs_are_draining(const struct jobs *jobs)
{
    return jobs->draining;
}

// --- life ---

struct jobs *jobs_new(struct engine *engine,
                      const struct jobs_handlers *handlers, struct err *err)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);

    if (jobs == NULL) {
        err_nomem(err, "the jobs");
        return NULL;
    }
    jobs->engine = engine;
    jobs->handlers = *handlers;
    jobs->opening_handlers = (struct opening_handlers){.user = jobs,
                                                       .find_same = find_same,
                                                       .begin = begin_job,
                                                       .ended = after_opening};
    jobs->openings = (struct openings){.engine = engine,
                                       .handlers = &jobs->opening_handlers};
    jobs->left.engine = engine;
    return jobs;
}

void jobs_free(struct jobs *jobs)
{
    if (jobs == NULL)
        return;
    left_jobs_release(&jobs->left);
    paused_jobs_release(&jobs->paused);
    free(jobs);
}
