// turn: one turn of the coordinator's loop, and how long it takes.
//
// While a turn lasts nobody else is heard, and workers that hear nothing for
// 3 s drop what they have in work. So a turn is to be over within 100 ms,
// whatever peers send and whatever the disk does. Two things see to that:
//
//  * What takes long is a chore of the background (background.h).
//  * What is much of the same (answers that became durable, calls to be sent,
//    examples to be started) asks turn_is_over after each, and leaves the rest
//    for the next turn, which then comes at once.
//
// And each step of a turn is timed: one above TURN_SLOW_MS is told in the log
// (slow-turn) with the step that took longest, and with the time that the
// thread had the processor, for on a crowded machine it may just have waited.
//
// Belongs to the loop, but for turn_longest.

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
    int64_t step_us; // when the step at hand began
    const char *step, *slowest;
    int64_t slowest_us;
    bool unfinished;
    int64_t told_us; // when a slow one was told last
    pthread_mutex_t mutex;
    struct turn_report longest; // by wall time, and
    int64_t most_cpu_ms;        // by the processor's
};

void turn_init(struct turn *turn);
void turn_release(struct turn *turn);

// From begin to end; each step lasts until the next one. step is static.
void turn_begin(struct turn *turn, const char *step);
void turn_step(struct turn *turn, const char *step);
void turn_end(struct turn *turn);

// Whether what can wait for the next turn should.
bool turn_is_over(struct turn *turn);
// Whether something was left: then the next turn is not to wait. Asked once.
bool turn_was_unfinished(struct turn *turn);

// The longest turn so far, with the most time of the processor that any had.
// For any thread.
struct turn_report turn_longest(struct turn *turn);

#endif
