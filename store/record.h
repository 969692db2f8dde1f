// record: what one put asks the writer to do, as bytes.
//
// A put is one or more rows. Each row is a kind, which names a prepared
// statement, and the values to bind to it, in order. The coordinator's loop
// encodes, the writer's thread binds, and nothing in between knows anything
// else about a row. A new kind is one line in the table of record.c.
//
//     row    = kind (1 byte), value ..., '.'
//     value  = 'n'                               NULL
//            | 'i' int64 | 'r' double            8 bytes, this machine's order
//            | 't' length bytes | 'b' length bytes   length: 4 bytes
//
// The bytes never leave the process.

#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/buf.h"
#include "common/hash.h"

// SQL for the text that is summed over the models of job ?1 (row_sum.h).
#define MODELS_OF_JOB                                                          \
    "(SELECT group_concat(role || char(10) || name || char(10) || digest,"     \
    " char(10)) FROM (SELECT * FROM job_models WHERE job_no = ?1"              \
    " ORDER BY role))"

enum record_kind {
    RECORD_JOB,
    RECORD_JOB_STATE,
    RECORD_JOB_TIME,
    RECORD_JOB_COMPILED,
    RECORD_JOB_MODEL,
    RECORD_JOB_MODELS_SUM,
    RECORD_JOB_SIMULATED,
    RECORD_JOB_BEST,
    RECORD_SPLIT,
    RECORD_SUBMISSION,
    RECORD_SUBMISSION_OPTIONS,
    RECORD_JOB_FILE,
    RECORD_EXAMPLE,
    RECORD_PREFIX,
    RECORD_INSTRUCTION,
    RECORD_DEMO_SET,
    RECORD_CANDIDATE,
    RECORD_PART,
    RECORD_TRIAL,
    RECORD_TRIAL_END,
    RECORD_TRIALS_FORGET,
    RECORD_BEST_FORGET,
    RECORD_EVALUATION,
    RECORD_CALL_KIND,
    RECORD_CALL,
    RECORD_QUESTION,
    RECORD_CALL_TEXT,
    RECORD_COST,
    RECORD_EVENT,
    RECORD_WORKER,
    RECORD_KINDS
};

// The maximum size of a put; the longest reply and prompt are far below it.
enum { RECORD_MAX_BYTES = 64 * 1024 * 1024 };

// Returns the statement of a kind, with ?1, ?2, ... in the order of its values.
const char *record_sql(enum record_kind kind);

// --- the loop's side: appends to out, whose failure is sticky (buf.h) ---

void record_begin(struct buf *out, enum record_kind kind);
void record_null(struct buf *out);
void record_int(struct buf *out, int64_t value);
void record_real(struct buf *out, double value);     // NaN becomes NULL
void record_text(struct buf *out, const char *text); // NULL becomes NULL
void record_text_n(struct buf *out, const char *text, size_t len);
void record_bytes(struct buf *out, const char *data, size_t len); // a blob
void record_hash(struct buf *out, const struct hash *hash);
void record_end(struct buf *out);

// --- the writer's side ---

// Runs every row of a put with the statements of their kinds. Returns
// SQLITE_OK, or the first result that is not. The bytes stay bound until the
// next call.
int record_run(const char *bytes, size_t len, sqlite3_stmt *const *stmts);

#endif
