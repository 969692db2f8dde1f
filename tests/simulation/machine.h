// machine: one processor and one clock for all threads, driven by one seed.
//
// The programs under test keep their threads, mutexes, conditions and sleeps.
// The linker wraps the functions behind these (CMakeLists.txt) so that they end
// here. Only one thread runs at a time, and it runs until it waits for
// something. Then the seed chooses the next one among those that are ready. If
// none is, the clock moves to the next event or deadline. So a second of
// virtual time costs no more than the work that is done in it, and the same
// seed gives the same run to the last instruction.
//
//   RUNNING ---- waits for something ----> WAITING
//      ^                                      |
//      '-- chosen, once it is ready ----------'  ready: what it waits for has
//                                                happened, or its time is over
//
// The thread of main() is the driver. It does not belong to the machine: while
// it waits, the machine runs.
//
// Threads belong to processes, which are only numbers here. A stopped process
// does not get the processor, while time passes (SIGSTOP). An event is
// something that happens at a given time without a thread (machine_at).

#ifndef TESTS_SIMULATION_MACHINE_H
#define TESTS_SIMULATION_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

// Starts time and chance anew. Nothing may be left of an earlier run.
void machine_start(uint64_t seed);
// All threads must have ended. Runs all events that are still to come at once,
// so that they free what they hold.
void machine_end(void);

int64_t machine_now_us(void);
// Moves the wall clock by us.
void machine_jump_wall(int64_t us);

// --- chance ---

uint64_t machine_random(void);
uint64_t machine_below(uint64_t n); // 0 .. n - 1
bool machine_chance(double p);      // true with probability p

// --- waiting ---

// Waits until ready(user) is true, or until the given time (-1: no limit), and
// returns whether it is ready. For threads and for the driver. The driver's
// `ready` is called before each step of the machine, so it can also watch the
// state of things.
bool machine_wait(bool (*ready)(void *user), void *user, int64_t until_us);
void machine_sleep(int64_t us);

// --- events ---

void machine_at(int64_t at_us, void (*fire)(void *user), void *user);

// --- processes ---

// Sets the process of the threads that the driver creates from now on. Threads
// that a thread creates belong to the process of their creator.
void machine_set_process(int process);
int machine_process(void); // the caller's
// Returns how often a thread of this process was given the processor.
uint64_t machine_runs(int process);
// Keeps the processor from this process until that time.
void machine_stop_process(int process, int64_t until_us);

// Returns a number that depends on everything that was done since the start,
// and on its order. It is equal after equal runs.
uint64_t machine_trace(void);
void machine_trace_add(uint64_t value);

#endif
