// paused jobs: runs that paused because no worker could answer, or the disk
// could not be read, and that go on by themselves when that has passed.
//
// A job pauses when a call failed wherever it was tried, or when nobody
// answered for long. Usually nobody has to touch the job to mend that: a
// machine is repaired or added, hours later and at night. So the coordinator
// remembers which workers each such job has tried, and takes the job up as soon
// as there is another:
//
//   paused ----> another worker is here: one that joined later, came back from
//     ^          silence or rest, or was at rest when the job paused
//     |             |
//     |             v
//     +---- paused  at work, from the store: only what is missing is asked
//
// A disk that fails tells nobody when it is well again, so a job that paused
// for one is simply tried.
//
// The first try comes after PAUSED_AGAIN_MS. The wait doubles each time the job
// pauses again without a single answer, up to PAUSED_AGAIN_MAX_MS. That is
// short, because whoever repairs a machine waits for it: a job is at work again
// within ten seconds of the repair, even if it has tried in vain all night. All
// that a try costs is a few calls that a broken server refuses. (A minute was
// tried: it saved such calls, and left good machines idle.)
//
// Jobs that a person stopped or paused are not here, nor those that failed in a
// program of the user, since another worker would not help. What such a job
// awaits is an event of the job (history.h), so that the next coordinator knows
// it too; to that one every worker is new. Belongs to the coordinator's loop.

#ifndef COORDINATOR_PAUSED_JOBS_H
#define COORDINATOR_PAUSED_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/engine.h"
#include "coordinator/running_job.h"

enum {
    PAUSED_AGAIN_MS = 1000,
    PAUSED_AGAIN_MAX_MS = 8000,
    PAUSED_MOST = 64, // jobs; beyond it the oldest are forgotten
};

struct paused_job;

struct paused_jobs {
    struct paused_job *first; // owned, newest first
    int64_t look_ms;          // when they were looked at last
};

// A job that has paused, and what it waits for. The id is borrowed.
struct paused_view {
    const char *id;
    int64_t job_no;
    enum awaits awaits;
};

void paused_jobs_release(struct paused_jobs *paused);

// The job has paused; it awaits something. answered: some call of it was, since
// it began this time.
void paused_jobs_add(struct paused_jobs *paused, const struct engine *engine,
                     const struct paused_view *wanted, bool answered,
                     int64_t now);

// The same of one that the last coordinator left: no worker of this one was
// tried.
void paused_jobs_add_left(struct paused_jobs *paused,
                          const struct paused_view *wanted, int64_t now);

// The text of the event, and what a text stands for. NULL or another text:
// AWAITS_NOTHING.
const char *awaits_name(enum awaits awaits);
enum awaits awaits_named(const char *name);

// The job has begun, whoever began it. How often it was tried is kept for its
// next pause.
void paused_jobs_begun(struct paused_jobs *paused, const char *id);

// The job waits for a person from now on, or is over. Returns its number, or 0
// when it was not waiting here.
int64_t paused_jobs_forget(struct paused_jobs *paused, const char *id);

// A job that should go on now; its id is borrowed until the next call. The
// caller begins it, and it counts as begun. False: there is none.
bool paused_jobs_due(struct paused_jobs *paused, const struct engine *engine,
                     int64_t now, struct paused_view *out);

// The job could not be begun now; it is tried again a little later.
void paused_jobs_later(struct paused_jobs *paused, const char *id, int64_t now);

#endif
