// late_replies: what clients are told once it is on disk.
//
// Whoever is told that a job has begun, or is stopped, relies on it: a `submit`
// ends there, and nobody watches the job any more. So the answer waits until
// the store has what it says. A coordinator that is killed before that has
// promised nothing, and its client gets no answer, or sends the job again.
//
// An answer waits for a put, or for the end of a running job. If the store
// breaks while an answer waits, the client is told that instead.
//
// Call only from the loop's thread.

#ifndef COORDINATOR_LATE_REPLIES_H
#define COORDINATOR_LATE_REPLIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "coordinator/opening.h"

enum { LATE_REPLIES_MOST = 1024 };

struct late_reply {
    struct requester requester;
    uint64_t put; // it waits for this, unless it waits for an end
    const struct running_job *ending; // it waits for this job's end; borrowed
    struct running_job *begun; // of a submission: what it has become; borrowed
    char *text; // the note of ACCEPTED, or the document of REPLY; owned
    struct late_reply *next;
};

struct late_replies {
    struct late_reply *first; // owned, oldest first
    size_t n;
};

void late_replies_release(struct late_replies *late);

// Adds a copy of the reply. Takes its text, which may be NULL, also on failure:
// out of memory, or ERR_BUSY if too many wait.
bool late_replies_add(struct late_replies *late, const struct late_reply *reply,
                      struct err *err);

// Takes the oldest reply whose put is durable, or any reply that waits for a
// put if the store is `broken`. Returns NULL if there is none.
struct late_reply *late_replies_take(struct late_replies *late,
                                     uint64_t durable, bool broken);

// Takes the oldest reply that waits for the end of that job, or returns NULL.
struct late_reply *late_replies_take_ended(struct late_replies *late,
                                           const struct running_job *running);

void late_reply_free(struct late_reply *reply);

#endif
