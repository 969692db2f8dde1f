#include "store/transaction.h"

#include "store/sql.h"

static bool prepare(struct transaction *transaction, const char *sql,
                    sqlite3_stmt **stmt, const char *path, struct err *err)
{
    int rc = sqlite3_prepare_v3(transaction->db, sql, -1,
                                SQLITE_PREPARE_PERSISTENT, stmt, NULL);

    if (rc != SQLITE_OK)
        sql_fail(err, transaction->db, rc, path, "prepare");
    return rc == SQLITE_OK;
}

bool transaction_init(struct transaction *transaction, sqlite3 *db,
                      const char *path, size_t max_bytes, struct err *err)
{
    *transaction = (struct transaction){.db = db, .kept = BUF_INIT(max_bytes)};
    for (int kind = 0; kind < RECORD_KINDS; kind++) {
        if (!prepare(transaction, record_sql((enum record_kind)kind),
                     &transaction->stmts[kind], path, err))
            return false;
    }
    return prepare(transaction, "BEGIN IMMEDIATE", &transaction->begin, path,
                   err) &&
           prepare(transaction, "COMMIT", &transaction->commit, path, err);
}

void transaction_release(struct transaction *transaction)
{
    for (int kind = 0; kind < RECORD_KINDS; kind++)
        (void)sqlite3_finalize(transaction->stmts[kind]);
    (void)sqlite3_finalize(transaction->begin);
    (void)sqlite3_finalize(transaction->commit);
    buf_release(&transaction->kept);
    *transaction = (struct transaction){0};
}

static int run_alone(sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    int again = sqlite3_reset(stmt);

    return rc == SQLITE_DONE ? again : rc;
}

// A draft's frames are contiguous, and no copied frame ever follows them in the
// same transaction: a draft ends with a commit.
static bool keep(struct transaction *transaction, struct frames frame,
                 enum frames_kept how)
{
    if (how == FRAMES_COPIED) {
        buf_append(&transaction->kept, frame.at, frame.len);
        return !transaction->kept.failed;
    }
    if (transaction->stays.at == NULL)
        transaction->stays.at = frame.at;
    transaction->stays.len += frame.len;
    return true;
}

static int write_frame(struct transaction *transaction, struct frames frame)
{
    return record_run(frame.at + FRAMES_HEAD_BYTES,
                      frame.len - FRAMES_HEAD_BYTES, transaction->stmts);
}

static int write_frames(struct transaction *transaction, struct frames frames)
{
    int rc = SQLITE_OK;

    while (rc == SQLITE_OK && frames.len > 0) {
        size_t len = FRAMES_HEAD_BYTES + frames_size(frames);
        rc = write_frame(transaction, frames_take(&frames, len));
    }
    return rc;
}

bool transaction_add(struct transaction *transaction, struct frames frame,
                     enum frames_kept how, int *rc)
{
    if (!keep(transaction, frame, how))
        return false;
    *rc = transaction->n == 0 ? run_alone(transaction->begin) : SQLITE_OK;
    if (*rc == SQLITE_OK)
        *rc = write_frame(transaction, frame);
    transaction->n++;
    return true;
}

bool transaction_is_full(const struct transaction *transaction)
{
    return transaction->n == TRANSACTION_PUTS ||
           transaction->kept.len + transaction->stays.len > TRANSACTION_BYTES;
}

int transaction_commit(struct transaction *transaction)
{
    return run_alone(transaction->commit);
}

int transaction_again(struct transaction *transaction)
{
    const struct frames kept = {transaction->kept.data, transaction->kept.len};
    int rc;

    transaction_roll_back(transaction);
    rc = run_alone(transaction->begin);
    if (rc == SQLITE_OK)
        rc = write_frames(transaction, kept);
    if (rc == SQLITE_OK)
        rc = write_frames(transaction, transaction->stays);
    return rc == SQLITE_OK ? run_alone(transaction->commit) : rc;
}

void transaction_roll_back(struct transaction *transaction)
{
    if (!sqlite3_get_autocommit(transaction->db))
        (void)sqlite3_exec(transaction->db, "ROLLBACK", NULL, NULL, NULL);
}

void transaction_clear(struct transaction *transaction)
{
    transaction->n = 0;
    transaction->stays = (struct frames){0};
    frames_clear(&transaction->kept);
}
