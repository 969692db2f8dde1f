#include "coordinator/jobs_state.h"
#include "store/history.h"

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
static bool note_ended(struct jobs *jobs, int64_t job_no,
                       const struct job_end *how, struct err *err)
{
    const struct history_job_state now = {
        .state = how->state, .reason = how->why.text, .score = -1};

    return job_no == 0 ||
           history_job_state(jobs->engine->store, job_no, &now, err);
}

// Ends the run or the evaluation of that id. Returns NULL without err if there
// is none.
static const char *end_one(struct jobs *jobs, const char *id,
                           enum request_action action,
                           const struct job_end *how,
                           const struct running_job **ending, struct err *err)
{
    struct running_job *running = running_job_find(jobs->running, id, action);
    struct openings_ended opening = {.id = NULL};
    int64_t job_no = action == REQUEST_RUN ? forget_waiting(jobs, id) : 0;

    openings_end(&jobs->openings, id, action, &how->why, &opening);
    *ending = running;
    if (running != NULL && !running_job_end(running, &how->why, err)) {
        if (opening.id == NULL)
            return NULL;
        *err = ERR_CLEAR; // it will not begin anew, as it was about to
    }
    if (running != NULL)
        return running_job_id(running);
    if (job_no == 0)
        job_no = opening.job_no;
    if (!note_ended(jobs, job_no, how, err))
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
                     const struct job_end *how,
                     const struct running_job **ending, struct err *err)
{
    const char *ended = end_one(jobs, job_id, REQUEST_RUN, how, ending, err);

    if (ended == NULL && err->code == ERR_NONE)
        ended = end_one(jobs, job_id, REQUEST_EVAL, how, ending, err);
    if (ended == NULL && err->code == ERR_NONE &&
        !explain_unknown(jobs, job_id, err))
        err_set(err, ERR_INPUT, "job %.200s is not running", job_id);
    return ended;
}
