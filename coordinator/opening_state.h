// opening_state: the members of an opening (opening.h), for the files that
// implement it:
//
//   opening.c        on the loop: which openings there are, and what becomes of
//                    them
//   opening_read.c   off the loop: the job is read, and looked up in the store
//
// While its chore is in the background, an opening belongs to that thread. The
// loop then touches only `requester`, `job_id`, `ended`, `read`, `looking_up`
// and `next`, which the thread does not change, and, once the job is read, asks
// `running` for its id.

#ifndef COORDINATOR_OPENING_STATE_H
#define COORDINATOR_OPENING_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/background.h"
#include "coordinator/opening.h"

struct opening {
    struct chore chore; // must be first: the background knows only this
    struct openings *all;
    struct requester requester;
    // What to open: a submission, or a job of the store.
    struct buf encoded;        // a SUBMIT that must be decoded first; or empty
    struct arena arena;        // of submit's texts
    struct submit submit;      // in the arena
    char *job_id;              // owned; NULL for a submission
    struct resumption changes; // of a job of the store; its rows are owned
                               // until the job that was read has them
    // What became of it.
    struct running_job *running; // owned; NULL before the job is read
    struct err err;
    struct err ended; // set by a person, who says why
    int64_t began_ms;
    bool read; // running is here, and the loop's
    bool looking_up;
    struct opening *next;
};

static inline struct opening *opening_of(struct chore *chore)
{
    return (struct opening *)(void *)chore;
}

#endif
