#include "coordinator/running_job_state.h"

#include <string.h>

const char *running_job_id(const struct running_job *running)
{
    return running->spec.id;
}

struct job_work *running_job_work_of(struct running_job *running)
{
    return &running->work;
}

bool running_job_is_run(const struct running_job *running)
{
    return running->spec.request->action == REQUEST_RUN;
}

static bool is_evaluation(const char *rest)
{
    size_t len = strlen(rest);

    return len >= 5 && strcmp(rest + len - 5, "-eval") == 0;
}

bool running_job_goes_by(const struct running_job *running, const char *id,
                         enum request_action action)
{
    size_t len = strlen(running->spec.id);

    if (running->spec.request->action != action ||
        strncmp(running->spec.id, id, len) != 0)
        return false;
    return id[len] == '\0' ||
           (action == REQUEST_EVAL && is_evaluation(id + len));
}

void *running_job_pair(const struct running_job *running)
{
    return running->pair;
}

bool running_job_is_open(const struct running_job *running)
{
    return running->state == RUNNING_JOB_OPEN;
}

bool running_job_has_ended(const struct running_job *running)
{
    return running->state >= RUNNING_JOB_ENDED;
}

struct running_job *running_job_next(const struct running_job *running)
{
    return running->next;
}

struct running_job *running_job_find(struct running_job *first, const char *id,
                                     enum request_action action)
{
    while (first != NULL && !running_job_goes_by(first, id, action))
        first = running_job_next(first);
    return first;
}

void running_jobs_add(struct running_job **jobs, struct running_job *running)
{
    running->next = *jobs;
    *jobs = running;
}

void running_jobs_remove(struct running_job **jobs, struct running_job *running)
{
    while (*jobs != running)
        jobs = &(*jobs)->next;
    *jobs = running->next;
}
