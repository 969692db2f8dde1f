// opening: a job on its way into the loop.
//
// Reading a submission of 48 MiB, checking its rows, hashing and splitting
// them, and looking up what the store knows of the job takes seconds. So the
// loop only accepts the job and, at the end, starts it. Everything in between
// is done in the background.
//
//   SUBMIT, resume,                                     the loop has such a job
//   a coordinator's start                                or opens one: joined
//        |                                                         ^
//        v          off the loop                on the loop        |
//     READING  ------------------> its id is known ----------------+
//        |     job, rows, split, id                                |
//        |                                                         v
//        |          off the loop                               LOOKING UP
//        | <-------------------------------------------------- history, puts
//        v                                                     to be made
//     begun or not: the requester is told
//
// Two openings of the same job are not looked up at once: the second one waits,
// and joins whatever becomes of the first. An opening of a job that is about to
// end waits until that run is gone, and then begins the job anew.

#ifndef COORDINATOR_OPENING_H
#define COORDINATOR_OPENING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "coordinator/peers.h"
#include "coordinator/resumption.h"
#include "coordinator/running_job.h"
#include "wire/message.h"

enum requester_kind {
    REQUESTER_NONE,     // the coordinator itself
    REQUESTER_SUBMITS,  // gets ACCEPTED, and later RESULT
    REQUESTER_COMMANDS, // gets REPLY
};

// Who asked and gets the answer; may be gone by then.
struct requester {
    enum requester_kind kind;
    struct peer_address address;
    int64_t job_no; // of the job, if the coordinator takes it up
};

struct requester requester_from(const struct peer *peer,
                                enum requester_kind kind);

// The outcome of an opening.
struct opened {
    struct running_job *running; // has begun; NULL: err says why not
    const char *job_id;          // NULL if it never became known
    const char *word; // "", or a sentence about what may surprise: for a new
                      // job, what differs from the last one; for a job that was
                      // already running, what was asked for and does not apply
    const struct err *err;
    bool ended; // a person ended it before it began
};

struct opening_handlers {
    void *user;
    // Returns the running job that is the same one, or NULL.
    struct running_job *(*find_same)(void *user,
                                     const struct running_job *running);
    // Starts the job; on success the loop owns it.
    bool (*begin)(void *user, struct running_job *running, struct err *err);
    void (*ended)(void *user, const struct requester *requester,
                  const struct opened *opened);
};

struct opening;

struct openings {
    struct engine *engine;                   // borrowed
    const struct opening_handlers *handlers; // borrowed
    struct opening *first;                   // owned
    int32_t last_number;                     // given to the job opened last
};

// Opens a submitted job. Moves the arena, which holds the texts of submit, into
// the opening; whatever is left in it is the caller's. Returns false, with the
// reason, if there will be no opening.
bool openings_submit(struct openings *openings,
                     const struct requester *requester,
                     const struct submit *submit, struct arena *arena,
                     struct err *err);

// Like openings_submit, but moves the bytes of a whole encoded SUBMIT.
bool openings_submit_long(struct openings *openings,
                          const struct requester *requester, struct buf *bytes,
                          struct err *err);

// Call when a running job is gone, or an opening is finished: lets the openings
// that waited for it continue.
void openings_wake(struct openings *openings);

// Ends, on behalf of a person, who gives the reason, all openings of jobs that
// go by that id (running_job_goes_by): they do not begin, and their requesters
// get the reason. A job submitted afterwards begins as usual.
struct openings_ended {
    const char *id; // borrowed until the loop's next turn; NULL: there was no
                    // such opening
    int64_t job_no; // of a job that the coordinator itself took up; else 0
};
void openings_end(struct openings *openings, const char *id,
                  enum request_action action, const struct err *why,
                  struct openings_ended *out);

// Returns true if there is an opening whose id is not known yet.
bool openings_have_unknown(const struct openings *openings);

// Opens a job of the store by its id, with those changes, which all happen or
// none. If the job is already running, it takes over the share; rows cannot be
// excluded then. Takes the changes, even on failure.
bool openings_resume(struct openings *openings,
                     const struct requester *requester, const char *job_id,
                     struct resumption *changes, struct err *err);

#endif
