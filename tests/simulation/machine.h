// machine: one processor and one clock for all threads, driven by one seed.
//
// The programs under test keep their threads, mutexes, conditions and sleeps.
// What they call is wrapped by the linker (CMakeLists.txt), and ends here: only
// one thread runs at a time, and it runs until it waits for something. Then the
// next one is chosen by the seed among those that could go on. When none could,
// the clock moves to whatever comes next. So a second of virtual time costs
// only what is done in it, and the same seed gives the same run to the last
// instruction.
//
//   RUNNING ---- waits for something ----> WAITING
//      ^                                      |
//      '-- chosen, once it is ready ----------'  ready: what it waits for is
//                                                there, or its time has come
//
// The thread of main() is the driver. It is no thread of the machine: while it
// waits, the machine runs.
//
// Threads belong to processes, which are only numbers here: a stopped process
// is not given the processor, while time goes on (SIGSTOP). What happens at a
// given time without a thread is an event (machine_at).

#ifndef TESTS_SIMULATION_MACHINE_H
#define TESTS_SIMULATION_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

// Time begins anew, and chance too. Nothing may be left of an earlier run.
void machine_start(uint64_t seed);
// All threads must have ended. What is still to happen happens at once, so that
// it frees what it holds.
void machine_end(void);

int64_t machine_now_us(void);
// The wall clock jumps by so much.
void machine_jump_wall(int64_t us);

// --- chance ---

uint64_t machine_random(void);
uint64_t machine_below(uint64_t n); // 0 .. n - 1
bool machine_chance(double p);      // true in so many of all cases

// --- waiting ---

// Waits until ready(user), or until the time (-1: for ever), and says whether
// it is ready. For threads and for the driver, whose `ready` is asked before
// each step of the machine, and so may look at how things are.
bool machine_wait(bool (*ready)(void *user), void *user, int64_t until_us);
void machine_sleep(int64_t us);

// --- events ---

void machine_at(int64_t at_us, void (*fire)(void *user), void *user);

// --- processes ---

// Threads that are made from now on, by the driver, belong to it. A thread's
// own threads belong to the process that it belongs to.
void machine_set_process(int process);
int machine_process(void); // that the caller belongs to
// How often a thread of it was given the processor.
uint64_t machine_runs(int process);
// Not to be given the processor before that time.
void machine_stop_process(int process, int64_t until_us);

// A number that depends on all that was done since the start, and on its order:
// equal after equal runs.
uint64_t machine_trace(void);
void machine_trace_add(uint64_t value);

#endif
