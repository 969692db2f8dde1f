// turn: one turn of the coordinator's loop, and how long it takes.
//
// During a turn nobody else is heard. A client that hears nothing for 3 s gives
// its coordinator up and greets again, and so does a worker after 15 s, which
// drops the calls that it has not begun. So a turn should last 100 ms at most,
// whatever peers send and whatever the disk does. Two rules ensure that:
//
//  * Anything that takes long is a chore for the background (background.h).
//  * A loop over many equal pieces of work (answers that became durable, calls
//    to be sent, examples to be started) asks turn_is_over after each piece and
//    leaves the rest for the next turn, which then follows at once.
//
// Each step of a turn is timed. A turn above TURN_SLOW_MS is logged (slow-turn)
// with the step that took longest, and with the processor time of the thread,
// because on a crowded machine it may just have waited.
//
// Call only from the loop's thread, except turn_longest.

#ifndef COORDINATOR_TURN_H
#define COORDINATOR_TURN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { TURN_SLOW_MS = 100, TURN_WORK_MS = 40 };

struct turn_report {
    int64_t wall_ms;
    int64_t cpu_ms;
    int64_t step_ms;  // of the step that took longest
    const char *step; // its name; static
};

struct turn {
    int64_t began_us, began_cpu_us;
    int64_t step_us; // when the current step began
    const char *step, *slowest;
    int64_t slowest_us;
    bool unfinished;
    int64_t logged_us; // when a slow turn was last logged
    pthread_mutex_t mutex;
    struct turn_report longest; // the longest by wall time, and
    int64_t most_cpu_ms;        // the longest by processor time
};

void turn_init(struct turn *turn);
void turn_release(struct turn *turn);

// A turn lasts from begin to end, and each step until the next one. step is
// static.
void turn_begin(struct turn *turn, const char *step);
void turn_step(struct turn *turn, const char *step);
void turn_end(struct turn *turn);

// Returns true if work that can wait for the next turn should.
bool turn_is_over(struct turn *turn);
// Returns true if work was left over, so that the next turn must not wait.
// Asking resets it.
bool turn_was_unfinished(struct turn *turn);

// Returns the longest turn so far, with the most processor time that any turn
// took. Call from any thread.
struct turn_report turn_longest(struct turn *turn);

#endif
