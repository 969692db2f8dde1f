// tally: the measurements of the benchmarks: clocks, threads' CPU time, memory.
//
// Linux only: reads /proc.

#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stddef.h>

#include "common/err.h"

// Prints err's sentence and exits.
_Noreturn void die(const struct err *err);

// Returns the i-th argument as a number, at least 1; `fallback` if it is
// missing.
size_t argument(int argc, char **argv, int i, size_t fallback);

double wall_s(void);
double thread_cpu_s(void);  // of the calling thread
double process_cpu_s(void); // of all threads, including finished ones

// The threads of this process, oldest first.
enum { TALLY_THREADS = 64 };
struct thread_list {
    long ids[TALLY_THREADS];
    size_t n;
};
void thread_list_read(struct thread_list *list);
double thread_list_cpu_s(const struct thread_list *list, size_t i);

// Lists the threads of `after` that are not in `before`.
void thread_list_new(const struct thread_list *before,
                     const struct thread_list *after, struct thread_list *out);

double peak_mib(void); // of this process: VmHWM

#endif
