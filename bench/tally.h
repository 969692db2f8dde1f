// tally: what the benchmarks count with: clocks, threads' CPU time, memory.
//
// Linux alone: reads /proc.

#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stddef.h>

#include "common/err.h"

// Prints err's sentence and ends the program.
_Noreturn void die(const struct err *err);

// The i-th argument as a number from 1; `otherwise` when it is not there.
size_t argument(int argc, char **argv, int i, size_t otherwise);

double wall_s(void);
double thread_cpu_s(void);  // of the calling thread
double process_cpu_s(void); // of all threads, also those that have ended

// The threads of this process, oldest first.
enum { TALLY_THREADS = 64 };
struct thread_list {
    long ids[TALLY_THREADS];
    size_t n;
};
void thread_list_read(struct thread_list *list);
double thread_list_cpu_s(const struct thread_list *list, size_t i);

// Those of `after` that are not in `before`.
void thread_list_new(const struct thread_list *before,
                     const struct thread_list *after, struct thread_list *out);

double peak_mib(void); // of this process: VmHWM

#endif
