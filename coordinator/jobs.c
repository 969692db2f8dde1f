#include "coordinator/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "coordinator/answerers/programs.h"
#include "coordinator/engine.h"
#include "coordinator/job_work.h"
#include "coordinator/landing.h"
#include "coordinator/left_jobs.h"
#include "coordinator/paused_jobs.h"
#include "store/history.h"

enum { SAVE_TIME_MS = 5000 }; // between two times the time spent is saved

struct jobs {
    struct engine *engine; // borrowed
    struct jobs_handlers handlers;
    struct openings openings; // of jobs that have not begun
    struct opening_handlers opening_handlers;
    struct running_job *running; // owned, newest first
    size_t n;
    struct left_jobs left;     // what an earlier coordinator left
    struct paused_jobs paused; // those that will be resumed
    bool draining;
    int64_t save_ms; // when the time spent was last saved
};

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

// Handles a job that the coordinator itself wanted to resume but could not.
static void note_not_resumed(struct jobs *jobs, int64_t job_no,
                             const char *job_id, const struct err *why)
{
    bool passes = why->code == ERR_STORE || why->code == ERR_BUSY ||
                  why->code == ERR_STOPPED;

    if (!passes)
        history_job_state(jobs->engine->store, job_no,
                          &(struct history_job_state){.state = JOB_PAUSED,
                                                      .reason = why->text,
                                                      .score = -1},
                          NULL);
    if (job_id != NULL && passes)
        paused_jobs_postpone(&jobs->paused, job_id, clock_monotonic_ms());
    else if (job_id != NULL)
        (void)paused_jobs_forget(&jobs->paused, job_id);
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
        note_not_resumed(jobs, requester->job_no, opened->job_id, opened->err);
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

static struct running_job *find_running(const struct jobs *jobs, const char *id,
                                        enum request_action action)
{
    struct running_job *d = jobs->running;

    while (d != NULL && !running_job_goes_by(d, id, action))
        d = running_job_next(d);
    return d;
}

bool jobs_is_running(const struct jobs *jobs, const char *job_id)
{
    const struct running_job *running = find_running(jobs, job_id, REQUEST_RUN);

    return running != NULL && running_job_is_open(running);
}

void jobs_survey(struct jobs *jobs)
{
    left_jobs_survey(&jobs->left);
}

static bool resume_job(struct jobs *jobs, int64_t job_no, const char *id)
{
    struct requester nobody = {.kind = REQUESTER_NONE, .job_no = job_no};
    struct err err = ERR_CLEAR;

    return jobs->n < JOBS_MOST &&
           openings_resume(&jobs->openings, &nobody, id,
                           &(struct resumption){0}, &err);
}

static bool is_running(const struct jobs *jobs, const char *id)
{
    for (const struct running_job *d = jobs->running; d != NULL;
         d = running_job_next(d))
        if (strcmp(running_job_id(d), id) == 0)
            return true;
    return false;
}

static void tell_awaits(const char *id, enum awaits awaits)
{
    log_info("job-waits", "%s: continues when %s", id,
             awaits == AWAITS_WORKER ? "another worker is available"
                                     : "the disk can be read");
}

// Returns false while there is no room for the job. A paused job may have begun
// since the survey.
static bool take_up_one(struct jobs *jobs, const struct left_view *job,
                        int64_t now)
{
    if (job->awaits == AWAITS_NOTHING) {
        if (!resume_job(jobs, job->job_no, job->id))
            return false;
        if (jobs->engine->gather_until_ms == 0)
            jobs->engine->gather_until_ms = now + KEPT_GATHER_MS;
        log_info("job-taken-up", "%s", job->id);
        return true;
    }
    if (!is_running(jobs, job->id)) {
        tell_awaits(job->id, job->awaits);
        paused_jobs_add_left(
            &jobs->paused,
            &(struct paused_view){job->id, job->job_no, job->awaits}, now);
    }
    return true;
}

// Takes up what an earlier coordinator left; the rest waits until there is
// room.
static void take_up_left(struct jobs *jobs, int64_t now)
{
    struct left_view job;

    if (jobs->draining)
        return;
    left_jobs_tick(&jobs->left, now);
    while (left_jobs_next(&jobs->left, &job) && take_up_one(jobs, &job, now))
        left_jobs_taken(&jobs->left);
}

// Resumes paused jobs that are due.
static void take_up_paused(struct jobs *jobs, int64_t now)
{
    struct paused_view job;

    while (!jobs->draining &&
           paused_jobs_due(&jobs->paused, jobs->engine, now, &job)) {
        if (resume_job(jobs, job.job_no, job.id))
            log_info("job-taken-up", "%s: %s", job.id,
                     job.awaits == AWAITS_WORKER ? "a worker is available"
                                                 : "trying the disk again");
        else
            paused_jobs_postpone(&jobs->paused, job.id, now);
    }
}

void jobs_take_up(struct jobs *jobs, int64_t now)
{
    take_up_left(jobs, now);
    take_up_paused(jobs, now);
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

// Decides what happens to a job that has ended: if it paused for lack of a
// worker, it waits for another one. While this coordinator drains, that is left
// to the next one, which finds it in the store.
static void note_end(struct jobs *jobs, const struct running_job *running,
                     int64_t now)
{
    const struct job_work *work =
        running_job_work_of((struct running_job *)running);
    enum awaits awaits = running_job_awaits(running);

    if (!running_job_is_run(running))
        return;
    if (awaits == AWAITS_NOTHING || jobs->draining) {
        (void)paused_jobs_forget(&jobs->paused, work->id);
        return;
    }
    tell_awaits(work->id, awaits);
    paused_jobs_add(&jobs->paused, work, awaits, now);
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
        note_end(jobs, running, now);
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

// --- the end ---

// Forgets a job that is only waiting to begin. Returns its number; 0 if there
// is no such job.
static int64_t forget_waiting(struct jobs *jobs, const char *id)
{
    int64_t left = left_jobs_forget(&jobs->left, id);
    int64_t paused = paused_jobs_forget(&jobs->paused, id);

    return left != 0 ? left : paused;
}

// Records the state of a job that would have begun automatically: the next
// coordinator reads it there.
static bool note_ended(struct jobs *jobs, int64_t job_no, const struct err *why,
                       enum job_state state, struct err *err)
{
    const struct history_job_state now = {
        .state = state, .reason = why->text, .score = -1};

    return job_no == 0 ||
           history_job_state(jobs->engine->store, job_no, &now, err);
}

// Ends the run or the evaluation of that id. Returns NULL without err if there
// is none.
static const char *end_one(struct jobs *jobs, const char *id,
                           enum request_action action, const struct err *why,
                           enum job_state state,
                           const struct running_job **ending, struct err *err)
{
    struct running_job *running = find_running(jobs, id, action);
    struct openings_ended opening = {.id = NULL};
    int64_t job_no = action == REQUEST_RUN ? forget_waiting(jobs, id) : 0;

    openings_end(&jobs->openings, id, action, why, &opening);
    *ending = running;
    if (running != NULL && !running_job_end(running, why, err)) {
        if (opening.id == NULL)
            return NULL;
        *err = ERR_CLEAR; // it will not begin anew, as it was about to
    }
    if (running != NULL)
        return running_job_id(running);
    if (job_no == 0)
        job_no = opening.job_no;
    if (!note_ended(jobs, job_no, why, state, err))
        return NULL;
    return opening.id != NULL ? opening.id : job_no != 0 ? id : NULL;
}

// Returns true, with err, if the job may be one that is not known yet.
static bool explain_unknown(const struct jobs *jobs, const char *id,
                            struct err *err)
{
    if (!left_jobs_are_known(&jobs->left))
        err_set(err, ERR_BUSY,
                "the coordinator has just started and does not know yet which "
                "jobs were left, so %.100s may be one: try again in a few "
                "seconds",
                id);
    else if (openings_have_unknown(&jobs->openings))
        err_set(err, ERR_BUSY,
                "a job is being read that may be %.100s: try again in a few "
                "seconds",
                id);
    return err->code != ERR_NONE;
}

const char *jobs_end(struct jobs *jobs, const char *job_id,
                     const struct err *why, enum job_state state,
                     const struct running_job **ending, struct err *err)
{
    const char *ended =
        end_one(jobs, job_id, REQUEST_RUN, why, state, ending, err);

    if (ended == NULL && err->code == ERR_NONE)
        ended = end_one(jobs, job_id, REQUEST_EVAL, why, state, ending, err);
    if (ended == NULL && err->code == ERR_NONE &&
        !explain_unknown(jobs, job_id, err))
        err_set(err, ERR_INPUT, "job %.200s is not running", job_id);
    return ended;
}

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
