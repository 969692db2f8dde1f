// parts: what a store is made of, for the files of this room alone.
//
// Two connections: the writer's, which only its thread touches, and a reader
// for the loop, which is read-only in SQLite's own sense (query.h). What is
// put is found at once through the indexes in memory; SQL sees it when it is
// durable. So a function here that reads by SQL what may have been put just
// before calls store_settle first.

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
    char state[16]; // "" once it was forgotten
    double score;
    int64_t n, calls, tokens;
};

// What replay asks of a job.
struct job_index {
    struct job_index *next;
    int64_t job_no;
    int users; // loads without an unload
    struct text_index candidates;
    struct key_index trial_numbers; // key_of(number, 0)
    struct trial_entry *trials;     // owned, by position
    size_t trials_cap;
    struct evaluation_index evaluations;
};

// The kind of the call that was put last: its six texts, each with its NUL.
struct last_kind {
    int64_t id; // 0: none is remembered
    char texts[1024];
};

struct store {
    char *path;              // owned
    struct name_lock name;   // not held: reading alone
    struct file_lock file;   // the store's own
    bool opened;             // for writing, and all went well
    struct writer *writer;   // owned; NULL: reading alone
    struct draft *draft;     // owned; NULL: none is being made
    sqlite3 *reader;         // owned
    sqlite3_stmt *load_call; // owned; made when first used
    struct call_index calls;
    struct costs costs; // of the calls that the table has not
    struct text_index prefixes;
    struct text_index call_kinds;
    struct last_kind last_kind;
    struct questions questions;
    struct text_index instructions;
    struct text_index demo_sets;
    struct job_index *jobs; // owned list of those that are loaded
    int64_t next_call_id;
    int64_t next_candidate_id;
    int64_t next_job_no;
    struct buf record;   // scratch of the put in progress
    int64_t snapshot_ms; // STORE_SNAPSHOT_MS, less in tests
    size_t result_bytes; // all values of a query, before JSON
    int64_t deadline_ms; // of the query in progress, monotonic; 0: none
};

// Where a new record is written: the scratch buffer, emptied, or the end of the
// draft, where it stays. store_put follows, or the record is forgotten.
struct buf *store_record(struct store *store);

// Puts the scratch buffer.
bool store_put(struct store *store, struct err *err);

// Makes what was put visible to SQL.
bool store_settle(struct store *store, struct err *err);

// Opens a read on the reader.
bool store_read(struct store *store, struct sql_read *read, const char *sql,
                const char *doing, struct err *err);

void text_index_release(struct text_index *index);

// Fills the index from `sql`, which gives id and hash by rising id, and sets
// next_id above them.
bool text_index_load(struct text_index *index, struct store *store,
                     const char *sql, struct err *err);

// True when the hash is known; then *id is its id.
bool text_index_find(const struct text_index *index, const struct hash *hash,
                     int64_t *id);

// Makes room for one more, so that the next keep cannot fail.
bool text_index_reserve(struct text_index *index, struct err *err);
void text_index_keep(struct text_index *index, const struct hash *hash,
                     int64_t id);

// The id of a text, which is put as a row (id, hash, text) of that kind when
// it is new. 0 on failure.
int64_t store_text(struct store *store, struct text_index *index,
                   enum record_kind kind, const struct hash *hash,
                   const char *text, size_t len, struct err *err);

// The job's index, loaded when it is not. NULL on failure.
struct job_index *job_index_get(struct store *store, int64_t job_no,
                                struct err *err);
void job_index_free_all(struct store *store);

// Makes room for one more trial; finds a trial by its number, NULL: no such
// one.
bool job_index_reserve_trial(struct job_index *job, struct err *err);
struct trial_entry *job_index_trial(struct job_index *job, int64_t number);

// Forgets that trial and those behind it.
void job_index_forget_trials(struct job_index *job, int64_t number);

// The place of a trial that is not there, or was forgotten. Room is reserved.
struct trial_entry *job_index_add_trial(struct job_index *job, int64_t number);

// Lets the store's reader read and nothing else, and ends what runs past
// deadline_ms.
bool reader_guard(struct store *store, struct err *err);

#endif
