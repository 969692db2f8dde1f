// load: the job that the benchmarks run, made in memory.
//
// One step with two outputs, some hundred examples to score on and 64 to take
// demos from, searched by bootstrap_random_search with labelled demos alone: so
// a trial is a call an example, each with a prompt of about 4 KB that shares
// all but its last 500 bytes with the others of its trial. Nothing in it is
// left to chance: the same number of calls gives the same bytes.

#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stddef.h>

#include "program/job/bundle.h"
#include "wire/message.h"

enum { LOAD_CALLS = 100000, LOAD_ROWS = 500 }; // when nothing else is said
enum { LOAD_FILES = 3 };

// What null workers say that they serve.
#define LOAD_MODEL "null:1b"

struct load {
    size_t n_calls; // as near to what was asked as whole trials come
    size_t n_rows;  // examples to score on
    size_t n_trials;
    char *texts[LOAD_FILES]; // owned
    struct wire_file files[LOAD_FILES];
};

// The job of at least n_calls calls (three trials are the fewest).
void load_make(struct load *load, size_t n_calls, size_t n_rows);
void load_release(struct load *load);

// Its files as a bundle, for those who read the job themselves.
struct bundle *load_bundle(const struct load *load);

// A short valid answer to a question, the same for the same tail; the caller
// gives room for LOAD_REPLY_BYTES.
enum { LOAD_REPLY_BYTES = 512 };
size_t load_reply(const char *tail, size_t tail_len, char *out);

#endif
