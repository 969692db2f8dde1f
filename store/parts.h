// parts: what a store consists of; private to this room.
//
// There are two connections: the writer's, which only its thread touches, and a
// reader for the loop, which is read-only in SQLite's own sense (query.h). The
// indexes in memory find what was put at once; SQL sees it only when it is
// durable. So a function here that uses SQL to read what may have just been put
// does so with store_read_settled.

#ifndef STORE_PARTS_H
#define STORE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"
#include "store/call_index.h"
#include "store/costs.h"
#include "store/evaluation_index.h"
#include "store/key_index.h"
#include "store/lock.h"
#include "store/questions.h"
#include "store/record.h"
#include "store/sql.h"
#include "store/store.h"
#include "store/writer.h"

enum { STORE_SNAPSHOT_MS = 5000 };
enum { STORE_RESULT_BYTES = 256 << 20 };

// Texts that are stored once, found by their hash.
struct text_index {
    struct key_index keys;
    int64_t *ids; // owned, by position
    size_t cap;
    int64_t next_id;
};

struct trial_entry {
    char kind[16];
    int64_t candidate_id;
    struct hash rows;
    char state[16]; // "" after it was removed
    double score;
    int64_t n, calls, tokens;
};

// What a replay needs to know about a job.
struct job_index {
    struct job_index *next;
    int64_t job_no;
    int users; // loads minus unloads
    struct text_index candidates;
    struct key_index trial_numbers; // key_of(number, 0)
    struct trial_entry *trials;     // owned, by position
    size_t trials_cap;
    struct evaluation_index evaluations;
};

// The kind of the last call that was put: its six texts, each with its NUL.
struct last_kind {
    int64_t id; // 0: none yet
    char texts[1024];
};

struct store {
    char *path;              // owned
    struct name_lock name;   // not held if read-only
    struct file_lock file;   // on the store's own file
    struct writer *writer;   // owned; NULL if read-only
    struct draft *draft;     // owned; NULL if none is in progress
    sqlite3 *reader;         // owned
    sqlite3_stmt *load_call; // owned; prepared on first use
    struct call_index calls;
    struct costs costs; // of the calls that the table does not include yet
    struct text_index prefixes;
    struct text_index call_kinds;
    struct last_kind last_kind;
    struct questions questions;
    struct text_index instructions;
    struct text_index demo_sets;
    struct job_index *jobs; // owned list of the loaded ones
    int64_t next_call_id;
    int64_t next_candidate_id;
    int64_t next_job_no;
    struct buf record;   // scratch for the put in progress
    int64_t snapshot_ms; // STORE_SNAPSHOT_MS, less in tests
    size_t result_bytes; // limit for all values of a query, before JSON
    int64_t deadline_ms; // of the query in progress, monotonic; 0: none
};

// Returns the text, or "" for NULL.
static inline const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

// Returns the buffer for a new record: the emptied scratch buffer, or the end
// of the draft, where the record stays. Follow it with store_put, or the record
// is discarded.
struct buf *store_record(struct store *store);

// Adds an event of a job to a record; row is -1 if there is none.
void record_event(struct buf *record, int64_t job_no, const char *kind,
                  int32_t row, const char *text, int64_t at_ms);

// Puts the record that store_record began.
bool store_put(struct store *store, struct err *err);

// Opens a read on the reader's connection. Close it in any case.
bool store_read(struct store *store, struct sql_read *read, const char *sql,
                const char *doing, struct err *err);

// The same, once all that was put is durable, so that the read sees it.
bool store_read_settled(struct store *store, struct sql_read *read,
                        const char *sql, const char *doing, struct err *err);

void text_index_release(struct text_index *index);

// Fills the index from `sql`, which gives id and hash in order of rising ids,
// and sets next_id above them.
bool text_index_load(struct text_index *index, struct store *store,
                     const char *sql, struct err *err);

// Returns true if the hash is known; *id is then its id.
bool text_index_find(const struct text_index *index, const struct hash *hash,
                     int64_t *id);

// Makes room for one more text, so that the next keep cannot fail.
bool text_index_reserve(struct text_index *index, struct err *err);
void text_index_keep(struct text_index *index, const struct hash *hash,
                     int64_t id);

// Returns the id of a text; if it is new, puts it as a row (id, hash, text) of
// that kind. Returns 0 on failure.
int64_t store_text(struct store *store, struct text_index *index,
                   enum record_kind kind, const struct hash *hash,
                   const char *text, size_t len, struct err *err);

// Returns the job's index, loading it if necessary. Returns NULL on failure.
struct job_index *job_index_get(struct store *store, int64_t job_no,
                                struct err *err);
void job_index_free_all(struct store *store);

// Reserve room for one more trial; find a trial by its number, NULL if there is
// none.
bool job_index_reserve_trial(struct job_index *job, struct err *err);
struct trial_entry *job_index_trial(struct job_index *job, int64_t number);

// Removes that trial and all later ones.
void job_index_forget_trials(struct job_index *job, int64_t number);

// Returns the place for a trial that is missing or was removed. Room must be
// reserved.
struct trial_entry *job_index_add_trial(struct job_index *job, int64_t number);

#endif
