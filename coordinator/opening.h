// opening: a job on its way into the loop.
//
// To read a submission of 48 MiB, check its rows, hash and split them, and find
// out what the store knows of the job, takes seconds. So the loop only takes
// the job in and, at the end, puts it to work; what lies between is done in the
// background.
//
//   SUBMIT, resume,                                     the loop has such a job
//   a coordinator's start                                   or opens it: joined
//        |                                                         ^
//        v          off the loop                on the loop        |
//     READING  ------------------> its id is known ----------------+
//        |     job, rows, split, id                                |
//        |                                                         v
//        |          off the loop                               LOOKING UP
//        | <-------------------------------------------------- history, puts
//        v                                                     to be made
//     begun, or not: whoever asked is told
//
// Two openings of one job do not look it up at once: the second one waits, and
// joins what becomes of the first. One of a job that is about to end waits
// until that is gone, and begins it anew.

#ifndef COORDINATOR_OPENING_H
#define COORDINATOR_OPENING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "coordinator/peers.h"
#include "coordinator/running_job.h"
#include "wire/message.h"

enum requester_kind {
    REQUESTER_NONE,     // the coordinator itself
    REQUESTER_SUBMITS,  // hears ACCEPTED, and later RESULT
    REQUESTER_COMMANDS, // hears REPLY
};

// Who asked, and is to be told; it may be gone by then.
struct requester {
    enum requester_kind kind;
    struct peer_address address;
    int64_t job_no; // of the job that the coordinator takes up
};

struct requester requester_from(const struct peer *peer,
                                enum requester_kind kind);

// What became of what somebody wanted to begin.
struct opened {
    struct running_job *running; // at work; NULL: err says why not
    const char *job_id;          // NULL when it was never known
    const char *word; // "", or a sentence on how it is not as one might think:
                      // what a new job has that the last one had not; of one
                      // that ran already, what was asked for and does not hold
    const struct err *err;
    bool ended; // by a person, before it was at work
};

struct opening_handlers {
    void *user;
    // The running job that is the same one, or NULL.
    struct running_job *(*find_same)(void *user,
                                     const struct running_job *running);
    // Puts it to work; on success it is the loop's.
    bool (*begin)(void *user, struct running_job *running, struct err *err);
    void (*ended)(void *user, const struct requester *requester,
                  const struct opened *opened);
};

struct opening;

struct openings {
    struct engine *engine;                   // borrowed
    const struct opening_handlers *handlers; // borrowed
    struct opening *first;                   // owned
    int32_t last_number;                     // of the job opened last
};

// Opens what was submitted. Takes the arena, in which the texts of submit are,
// whatever comes of it. False, when nothing will come of it, with the reason.
bool openings_submit(struct openings *openings,
                     const struct requester *requester,
                     const struct submit *submit, struct arena *arena,
                     struct err *err);

// The same from a whole SUBMIT as it came; takes its bytes.
bool openings_submit_long(struct openings *openings,
                          const struct requester *requester, struct buf *bytes,
                          struct err *err);

// A running job is gone, or an opening has come to its end: those that waited
// for it go on.
void openings_wake(struct openings *openings);

// Ends for a person, who gives the reason, what is on its way in and goes by
// that id (running_job_goes_by): it does not begin, and whoever asked for it is
// told why. What one submits afterwards begins.
struct openings_ended {
    const char *id; // borrowed until the loop's next turn; NULL: there was none
    int64_t job_no; // of one that the coordinator took up by itself; or 0
};
void openings_end(struct openings *openings, const char *id, bool run,
                  const struct err *why, struct openings_ended *out);

// Whether a run of that id is on its way in; and whether something is of which
// it is not known yet what it is.
bool openings_find(const struct openings *openings, const char *id);
bool openings_unknown(const struct openings *openings);

// Opens a job of the store by its id, with that share from now on. One that
// runs already takes it over.
bool openings_resume(struct openings *openings,
                     const struct requester *requester, const char *job_id,
                     const struct job_share *share, struct err *err);

#endif
