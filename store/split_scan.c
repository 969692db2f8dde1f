#include "store/split_scan.h"

#include <pthread.h>
#include <stdio.h>

#include "common/thread.h"
#include "store/connect.h"
#include "store/parts.h"

enum { SQL_BYTES = 128 };

struct half {
    sqlite3 *db; // borrowed
    const char *path;
    const char *sql;
    int64_t job_no, after, up_to;
    struct row_scan *scan;
    bool ok;
    struct err err;
};

// Returns NULL if no second connection is possible, as for a store in a
// read-only folder.
static sqlite3 *open_another(const char *path)
{
    struct err ignored = ERR_CLEAR;
    sqlite3 *db = NULL;

    // Only the first read touches the file.
    if (store_connect(&db, path, path, SQLITE_OPEN_READONLY, &ignored) &&
        sql_run(db, path, "PRAGMA schema_version", "read", &ignored))
        return db;
    (void)sqlite3_close(db);
    return NULL;
}

// Ignores a parameter that the statement does not have.
static void bind(struct sql_read *read, const char *name, int64_t value)
{
    int at = sqlite3_bind_parameter_index(read->stmt, name);

    if (at > 0)
        (void)sqlite3_bind_int64(read->stmt, at, value);
}

static void *run_half(void *user)
{
    struct half *half = user;
    struct sql_read read = SQL_READ_NONE;

    half->ok = sql_read_open(&read, half->db, half->path, half->sql, "read",
                             &half->err);
    if (half->ok) {
        bind(&read, ":job", half->job_no);
        bind(&read, ":after", half->after);
        bind(&read, ":up_to", half->up_to);
        half->ok = row_scan_run(half->scan, &read, &half->err);
    }
    sql_read_close(&read);
    return NULL;
}

// If there is no second thread or connection, the caller's thread does both
// halves.
static void run_both(struct half halves[2])
{
    sqlite3 *another = open_another(halves[1].path);
    pthread_t thread;
    bool apart = false;

    if (another != NULL)
        halves[1].db = another;
    if (another != NULL)
        apart = thread_start(&thread, run_half, &halves[1], "a scan", NULL);
    (void)run_half(&halves[0]);
    if (apart)
        (void)pthread_join(thread, NULL);
    else
        (void)run_half(&halves[1]);
    (void)sqlite3_close(another);
}

static bool find_last(struct store *store, const char *table, int64_t *last,
                      struct err *err)
{
    char sql[SQL_BYTES];

    (void)snprintf(sql, sizeof sql, "SELECT coalesce(max(id), 0) FROM %s",
                   table);
    return sql_number(store->reader, store->path, sql, last, err);
}

static bool pass_error_on(const struct half *half, struct err *err)
{
    if (!half->ok && err != NULL)
        *err = half->err;
    return half->ok;
}

bool split_scan_run(struct store *store, const char *sql, int64_t job_no,
                    struct row_scan scans[2], struct err *err)
{
    const struct half whole = {.db = store->reader,
                               .path = store->path,
                               .sql = sql,
                               .job_no = job_no,
                               .up_to = INT64_MAX,
                               .scan = &scans[0],
                               .err = ERR_CLEAR};
    struct half halves[2] = {whole, whole};
    int64_t last = 0;

    if (!find_last(store, scans[0].table, &last, err))
        return false;
    if (last < SPLIT_SCAN_LEAST) {
        (void)run_half(&halves[0]);
        return pass_error_on(&halves[0], err);
    }
    halves[0].up_to = halves[1].after = last / 2;
    halves[1].scan = &scans[1];
    run_both(halves);
    return pass_error_on(&halves[0], err) && pass_error_on(&halves[1], err);
}
