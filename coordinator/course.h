// course: how far a job is, and how much longer it will take.
//
// The measure is examples that are run, not answered from the store. The
// session says how many there will be in all (session_expect), and corrects the
// number as it learns more.
//
//   share   how much of the job is done, from 0 to 1. It never decreases: when
//           more is expected than before, the rest of the share is spread over
//           the rest of the work. It reaches 1 only when the job is over.
//   left    the time that the rest takes, at the pace of the last sixteen steps
//           of at least 2 s and 4 examples each. A worker that joins soon shows
//           in it, and a few slow answers do not make it jump.
//
// Time in which the job could not work does not count: the machine slept, the
// process was suspended, there was no worker, or the disk was full.
//
// When a job is resumed, examples that are in the store count towards the share
// but not towards the pace. The pace is measured from the first example that
// the store does not have. `left` is unknown until each slot has answered once,
// because the first answers of many slots come together.
//
// Times are monotonic milliseconds and come from the caller. Pure.

#ifndef COORDINATOR_COURSE_H
#define COORDINATOR_COURSE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    COURSE_STEPS = 16,
    COURSE_STEP_MS = 2000,
    COURSE_STEP_EXAMPLES = 4,
    COURSE_TURN_MS = 100,  // between two turns that are reported
    COURSE_SLEPT_MS = 3000 // without a turn: the reason was not a lack of work
};

struct course_step {
    int64_t at_ms;
    int64_t done;
};

struct course {
    int64_t expected; // examples in all; 0: not known
    // the share, and the examples done, when `expected` was last set
    double share;
    int64_t share_done;
    // the pace
    struct course_step steps[COURSE_STEPS]; // a ring, from steps[first]
    int first, n;
    int64_t first_done; // where the pace began to be measured
    int64_t turned_ms;  // when the last turn was; 0: none yet
};

// Sets how many examples are expected in all (0: not known) and how many of
// them are done. A zeroed course expects nothing.
void course_expect(struct course *course, int64_t expected, int64_t done);

// Returns true if it is time to report a turn of the loop.
bool course_turn_is_due(const struct course *course, int64_t now_ms);

// Reports a turn of the loop. could_work: the job had all it needs since the
// last one.
void course_turn(struct course *course, int64_t now_ms, bool could_work);

// Returns true if it is time for course_look.
bool course_is_due(const struct course *course, int64_t now_ms);

// Notes how many examples are done. Call it only once the store has no more
// answers for the job.
void course_look(struct course *course, int64_t now_ms, int64_t done);

// Returns the share from 0 to 1, or a negative number while it is unknown.
double course_share(const struct course *course, int64_t done);

// Returns milliseconds, or -1 if not known. slots: how many answers come at
// once.
int64_t course_left(const struct course *course, int64_t now_ms, int64_t done,
                    int64_t slots);

#endif
