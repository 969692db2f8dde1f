// calls: every answer that was paid for, found by its key.
//
// Rows are appended in order of arrival. The index over the keys is kept in
// memory (about 35 bytes per call) and built when the store is opened, because
// an index over random keys is the most expensive part of a store on disk.
// Texts have their own table, so that counting and indexing need not read them.
// A prefix (system message and demos) is stored once, exactly as it was sent.

#ifndef STORE_CALLS_H
#define STORE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "common/hash.h"
#include "store/store.h"

// What the index knows about a call.
struct call_ref {
    int64_t id;
    int32_t prompt_tokens;
    int32_t generated_tokens;
    enum call_outcome outcome;
};

struct call_put {
    struct hash key;
    int64_t job_no;      // the job that paid for it
    const char *role;    // "student", "teacher", "judge", "exec"
    const char *purpose; // "trial", "bootstrap", "propose", ...
    const char *step;
    int64_t prefix_id; // 0: none
    const char *model;
    const char *digest;
    const char *options; // JSON
    const char *tail;
    size_t tail_len;
    int64_t *question; // what this store filled in for the same tail before, 0
                       // at first; NULL if the caller does not keep it
    const struct call_answer *answer;
    const char *worker;
    int64_t attempts; // times it was sent until it was answered, at least 1
    bool hedged;
    int64_t finished_ms; // wall clock
};

// Returns true if a call with that key has been put in this store, durable or
// not. A store opened read-only knows no keys: use SQL there (query.h).
bool calls_find(const struct store *store, const struct hash *key,
                struct call_ref *out);

// Gives the ref of a call id, as calls_find does; returns false for an unknown
// id.
bool calls_ref(const struct store *store, int64_t id, struct call_ref *out);

// Returns the id of the last call that was put, 0 if there is none.
int64_t calls_last(const struct store *store);

// Reads the complete answer of a durable call.
bool calls_load(struct store *store, int64_t id, struct call_answer *out,
                struct err *err);

// Returns the id of a prefix, putting the prefix if it is new. Returns 0 on
// failure.
int64_t calls_prefix(struct store *store, const struct hash *hash,
                     const char *text, size_t len, struct err *err);

// Puts an answer (everything is copied) and returns its id, 0 on failure. The
// key must be new. Texts may be NULL, which counts as "". Ids stay below 2^32.
int64_t calls_put(struct store *store, const struct call_put *call,
                  struct err *err);

#endif
