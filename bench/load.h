// load: the job that the benchmarks run, made in memory.
//
// The job has one step with two outputs, some hundred examples to score on and
// 64 to take demos from, and is searched by bootstrap_random_search with
// labeled demos only. So a trial takes one call per example, each with a prompt
// of about 4 KB that shares all but its last 500 bytes with the rest of its
// trial. Nothing in it is random: the same number of calls gives the same
// bytes.

#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stddef.h>

#include "program/job/bundle.h"
#include "wire/message.h"

enum { LOAD_CALLS = 100000, LOAD_ROWS = 500 }; // the defaults
enum { LOAD_FILES = 3 };

// The model that null workers announce.
#define LOAD_MODEL "null:1b"

struct load {
    size_t n_calls; // as close to the request as whole trials allow
    size_t n_rows;  // examples to score on
    size_t n_trials;
    char *texts[LOAD_FILES]; // owned
    struct wire_file files[LOAD_FILES];
};

// Makes a job of at least n_calls calls (the minimum is three trials).
void load_make(struct load *load, size_t n_calls, size_t n_rows);
void load_release(struct load *load);

// Returns the job's files as a bundle, for benchmarks that read the job
// themselves.
struct bundle *load_bundle(const struct load *load);

// Writes a short valid answer to a question; the same tail always gives the
// same answer. `out` must have room for LOAD_REPLY_BYTES.
enum { LOAD_REPLY_BYTES = 512 };
size_t load_reply(const char *tail, size_t tail_len, char *out);

#endif
