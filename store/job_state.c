#include "store/job_state.h"

#include <string.h>

static const char *const names[JOB_STATE_COUNT] = {
    [JOB_QUEUED] = "queued", [JOB_RUNNING] = "running",
    [JOB_PAUSED] = "paused", [JOB_STOPPED] = "stopped",
    [JOB_DONE] = "done",     [JOB_FAILED] = "failed",
};

const char *job_state_name(enum job_state state)
{
    return names[state];
}

bool job_state_read(const char *name, enum job_state *out)
{
    for (int i = 0; i < JOB_STATE_COUNT; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (enum job_state)i;
            return true;
        }
    return false;
}

bool job_state_has_ended(enum job_state state)
{
    return state != JOB_QUEUED && state != JOB_RUNNING;
}
