// sql: the few things that every user of SQLite in this room does.
//
// Errors of SQLite become ours in one function, sql_fail, so that a full disk
// reads the same everywhere. Statements here are for what is rare;
// the writer keeps its own prepared ones (record.h).

#ifndef STORE_SQL_H
#define STORE_SQL_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/err.h"

// A file of ours says so: "pcc1" in PRAGMA application_id.
enum { SQL_APPLICATION_ID = 0x70636331 };

// Fills err for SQLite's result rc, met in `doing` ("write the trial"), with
// what to do about it; path is the store's. db may be NULL.
void sql_fail(struct err *err, sqlite3 *db, int rc, const char *path,
              const char *doing);

// Runs statements without a result.
bool sql_run(sqlite3 *db, const char *path, const char *sql, const char *doing,
             struct err *err);

// One row of one number: *value stays as it was where there is no row.
bool sql_number(sqlite3 *db, const char *path, const char *sql, int64_t *value,
                struct err *err);

// A reading statement in progress. Use:
//
//     struct sql_read read = SQL_READ_NONE;
//     if (!sql_read_open(&read, db, path, sql, "read the trials", err))
//         goto out;
//     while (sql_read_next(&read, err)) ... sqlite3_column_*(read.stmt, i)
//     ok = !read.failed;
// out:
//     sql_read_close(&read);
struct sql_read {
    sqlite3 *db;
    sqlite3_stmt *stmt;
    const char *path;
    const char *doing;
    bool failed;
};

#define SQL_READ_NONE ((struct sql_read){0})

bool sql_read_open(struct sql_read *read, sqlite3 *db, const char *path,
                   const char *sql, const char *doing, struct err *err);

// False at the end and on failure; then failed tells which.
bool sql_read_next(struct sql_read *read, struct err *err);
void sql_read_close(struct sql_read *read);

// A copy of a text column, "" for NULL; the caller frees. NULL without memory.
char *sql_text_copy(sqlite3_stmt *stmt, int column, struct err *err);

#endif
