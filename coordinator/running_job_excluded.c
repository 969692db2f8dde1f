#include "coordinator/running_job_excluded.h"

#include <stdlib.h>

#include "store/calls.h"
#include "store/history.h"

void running_job_exclude(struct running_job *running, int32_t *rows, size_t n)
{
    running->past.excluded = rows;
    running->past.n_excluded = n;
}

// Makes the list for the first row that is excluded. Returns NULL when out of
// memory.
static int64_t *make_last_calls(struct running_job *running)
{
    size_t n = dataset_size(running->spec.dataset);
    int64_t *calls = running->work.last_calls;

    if (calls != NULL)
        return calls;
    calls = calloc(n + 1, sizeof *calls);
    for (size_t i = 0; calls != NULL && i < n; i++)
        calls[i] = INT64_MAX;
    running->work.last_calls = calls;
    return calls;
}

// Returns false when out of memory.
static bool leave_out(struct running_job *running, int32_t row,
                      int64_t after_call)
{
    int64_t *calls;

    if (row < 0 || (size_t)row >= dataset_size(running->spec.dataset))
        return true;
    calls = make_last_calls(running);
    if (calls != NULL && after_call < calls[row])
        calls[row] = after_call;
    return calls != NULL;
}

// The rows that the history excludes.
struct exclusion {
    struct running_job *running;
    bool no_memory;
};

static void take_event(void *user, int32_t row, int64_t after_call,
                       const char *text)
{
    struct exclusion *exclusion = user;

    (void)text;
    if (!leave_out(exclusion->running, row, after_call))
        exclusion->no_memory = true;
}

bool running_job_read_excluded(struct running_job *running,
                               struct store *reader, struct err *err)
{
    struct exclusion exclusion = {.running = running};

    if (!history_events(reader, running->work.job_no, "exclude", take_event,
                        &exclusion, err))
        return false;
    if (exclusion.no_memory)
        err_nomem(err, "a job");
    return !exclusion.no_memory;
}

// A later run reads the last call from the event, where the store's writer
// writes the one that was put before it: so does this one.
bool running_job_put_excluded(struct running_job *running, struct err *err)
{
    const struct running_job_past *past = &running->past;
    struct store *store = running->engine->store;
    int64_t after_call = calls_last(store);

    for (size_t i = 0; i < past->n_excluded; i++)
        if (!leave_out(running, past->excluded[i], after_call)) {
            err_nomem(err, "a job");
            return false;
        }
    return history_exclude(store, running->work.job_no, past->excluded,
                           past->n_excluded, "resume --exclude", err);
}
