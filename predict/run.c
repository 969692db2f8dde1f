#include "predict/run.h"

#include <stdlib.h>

int64_t run_call_id(const struct run_pool *pool, const struct run *run,
                    int step)
{
    return (int64_t)(run - pool->runs) * PROGRAM_MAX_STEPS + step;
}

void run_drop_calls(struct run_pool *pool, struct run *run)
{
    for (int s = 0; s < PROGRAM_MAX_STEPS; s++) {
        if (run->calls[s].state == CALL_OPEN &&
            run->calls[s].ask.answerer != ANSWERER_EXEC)
            model_cancel(pool->options.client, run_call_id(pool, run, s));
        run->calls[s].state = CALL_NONE;
    }
}

void run_release(struct run *run)
{
    stepper_free(run->stepper);
    for (int s = 0; s < PROGRAM_MAX_STEPS; s++)
        free(run->calls[s].direction);
    *run = (struct run){0};
}

void run_finish(struct run *run, enum run_end end)
{
    run->state = RUN_ENDED;
    run->end = end;
}

void run_abandon(struct run_pool *pool, struct run *run, enum run_end end)
{
    run_drop_calls(pool, run);
    run_finish(run, end);
}
