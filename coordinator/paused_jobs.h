// paused jobs: runs that paused because no worker could answer, or the disk
// could not be read, and that are resumed when the cause has passed.
//
// A job pauses when a call failed wherever it was tried, or when nobody has
// answered for a long time. Usually nobody has to touch the job to fix that:
// hours later, or at night, a machine is repaired or added. So the coordinator
// remembers which workers each such job has tried, and resumes the job as soon
// as there is another one:
//
//   paused ----> there is another worker: one that joined later, came back from
//     ^          silence or rest, has another server or other models now, was
//     |          resting when the job paused, or had joined so late that nobody
//     |          had asked it anything by then
//     |             |
//     |             v
//     +---- running again, from the store: only what is missing is asked
//
// A disk that fails does not tell anybody when it works again, so a job that
// paused for a disk is just tried again.
//
// The first try comes after PAUSED_AGAIN_MS. The wait doubles each time the job
// pauses again without a single answer, up to PAUSED_AGAIN_MAX_MS. That is
// short, because whoever repairs a machine waits to see the effect: the job
// runs again within ten seconds of the repair, even if it has tried in vain all
// night. A try costs only a few calls, which a broken server refuses. (A minute
// was tried: it saved such calls, and left good machines idle.)
//
// Jobs that a person stopped or paused are not here. Neither are those that
// failed in a program of the user, since another worker would not help. What a
// paused job awaits is stored together with its state (history.h), so the next
// coordinator knows it too; for that coordinator every worker is new. Call only
// from the loop's thread.

#ifndef COORDINATOR_PAUSED_JOBS_H
#define COORDINATOR_PAUSED_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/awaits.h"
#include "coordinator/engine.h"

enum {
    PAUSED_AGAIN_MS = 1000,
    PAUSED_AGAIN_MAX_MS = 8000,
    PAUSED_MOST = 64, // jobs; beyond it the oldest is forgotten
};

struct paused_job;

struct paused_jobs {
    struct paused_job *first; // owned, newest first
    int64_t look_ms;          // when they were last looked at
};

// A job that has paused, and what it waits for. The id is borrowed.
struct paused_view {
    const char *id;
    int64_t job_no;
    enum awaits awaits;
};

void paused_jobs_release(struct paused_jobs *paused);

// Adds a job that has paused and awaits something.
void paused_jobs_add(struct paused_jobs *paused, const struct job_work *work,
                     enum awaits awaits, int64_t now);

// Adds a job that the last coordinator left: it has tried none of the present
// workers. Does nothing if the job has paused here meanwhile.
void paused_jobs_add_left(struct paused_jobs *paused,
                          const struct paused_view *wanted, int64_t now);

// Call when the job has begun, whoever began it. The number of its tries is
// kept for the next pause.
void paused_jobs_begun(struct paused_jobs *paused, const char *id);

// Call when the job is over, or when it waits for a person from now on. Returns
// its number, or 0 if it was not waiting here.
int64_t paused_jobs_forget(struct paused_jobs *paused, const char *id);

// Finds a job that should be resumed now; its id is borrowed until the next
// call. The caller begins it, and it counts as begun. Returns false if there is
// none.
bool paused_jobs_due(struct paused_jobs *paused, const struct engine *engine,
                     int64_t now, struct paused_view *out);

// Call when the job could not be begun now, for a cause that passes; it is
// tried again a little later. A job that is not here is added: it awaits
// nothing else.
void paused_jobs_postpone(struct paused_jobs *paused, const char *id,
                          int64_t job_no, int64_t now);

#endif
