// sql: the few things that everything in this room does with SQLite.
//
// SQLite's errors become ours in one function, sql_fail, so that a full disk
// reads the same everywhere. These statements are for rare operations; the
// writer keeps its own prepared ones (record.h).

#ifndef STORE_SQL_H
#define STORE_SQL_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/err.h"

// Marks a file as ours: "pcc1" in PRAGMA application_id.
enum { SQL_APPLICATION_ID = 0x70636331 };

// Fills err for SQLite's result rc, which came up in `doing` ("write the
// trial"), and says what to do about it. path is the store's path. db may be
// NULL.
void sql_fail(struct err *err, sqlite3 *db, int rc, const char *path,
              const char *doing);

// Runs statements that return no rows.
bool sql_run(sqlite3 *db, const char *path, const char *sql, const char *doing,
             struct err *err);

// Reads one number from one row; leaves *value unchanged if there is no row.
bool sql_number(sqlite3 *db, const char *path, const char *sql, int64_t *value,
                struct err *err);

// A SELECT in progress. Usage:
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

// Prepares the SELECT. path and doing ("read the trials") are for messages and
// must outlive read. Close it in any case.
bool sql_read_open(struct sql_read *read, sqlite3 *db, const char *path,
                   const char *sql, const char *doing, struct err *err);

// Returns false at the end and on failure; read->failed tells which.
bool sql_read_next(struct sql_read *read, struct err *err);
void sql_read_close(struct sql_read *read);

// Copies a text column, "" for NULL; the caller frees the result. Returns NULL
// when out of memory.
char *sql_text_copy(sqlite3_stmt *stmt, int column, struct err *err);

#endif
