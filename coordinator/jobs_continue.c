#include "common/clock.h"
#include "common/log.h"
#include "coordinator/jobs_state.h"
#include "store/history.h"

// --- jobs that pause ---

static void tell_awaits(const char *id, enum awaits awaits)
{
    log_info("job-waits", "%s: continues when %s", id,
             awaits == AWAITS_WORKER ? "another worker is available"
                                     : "the disk can be read");
}

void jobs_note_end(struct jobs *jobs, const struct running_job *running,
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

void jobs_note_not_resumed(struct jobs *jobs, int64_t job_no,
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
        paused_jobs_postpone(&jobs->paused, job_id, job_no,
                             clock_monotonic_ms());
    else if (job_id != NULL)
        (void)paused_jobs_forget(&jobs->paused, job_id);
}

// --- jobs that continue ---

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
    if (running_job_find(jobs->running, job->id, REQUEST_RUN) == NULL) {
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
                                                 : "trying again");
        else
            paused_jobs_postpone(&jobs->paused, job.id, job.job_no, now);
    }
}

void jobs_take_up(struct jobs *jobs, int64_t now)
{
    take_up_left(jobs, now);
    take_up_paused(jobs, now);
}
