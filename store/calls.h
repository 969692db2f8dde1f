// calls: every answer that was paid for, found by its key.
//
// Rows are appended in order of arrival; the index over keys lives in memory
// (about 35 bytes a call) and is built when the store is opened, because a
// random-key index is the dearest part of a store on disk. Texts are in a
// table of their own, so that counting and indexing need not read them. A
// prefix (system message and demos) is stored once, as it was sent.

#ifndef STORE_CALLS_H
#define STORE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "common/hash.h"
#include "store/store.h"

// What the index knows of a call.
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
    int64_t *question; // what this store said of the tail before, 0 at first;
                       // filled. NULL: nobody remembers it
    const struct call_answer *answer;
    const char *worker;
    int64_t attempts; // sends until it was answered, 1 or more
    bool hedged;
    int64_t finished_ms; // wall clock
};

// True when a call of that key was put in this store, durable or not. A store
// that is open for reading alone knows no keys: there, use SQL (query.h).
bool calls_find(const struct store *store, const struct hash *key,
                struct call_ref *out);

// The ref of a call id, as calls_find gives it; false for an unknown id.
bool calls_ref(const struct store *store, int64_t id, struct call_ref *out);

// Reads a durable call's answer whole.
bool calls_load(struct store *store, int64_t id, struct call_answer *out,
                struct err *err);

// The id of a prefix, which is put when it is new. 0 on failure.
int64_t calls_prefix(struct store *store, const struct hash *hash,
                     const char *text, size_t len, struct err *err);

// Puts an answer (everything is copied) and gives its id, 0 on failure. The
// key must be new. Texts may be NULL, which is "". Ids stay below 2^32.
int64_t calls_put(struct store *store, const struct call_put *call,
                  struct err *err);

#endif
