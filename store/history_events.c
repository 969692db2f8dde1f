// Events of jobs, and the rows that a person has excluded.

#include "store/history.h"

#include "common/clock.h"
#include "store/parts.h"

void record_event(struct buf *record, int64_t job_no, const char *kind,
                  int32_t row, const char *text, int64_t at_ms)
{
    record_begin(record, RECORD_EVENT);
    record_int(record, job_no);
    record_text(record, kind);
    record_int(record, row);
    record_text(record, or_empty(text));
    record_int(record, at_ms);
    record_end(record);
}

bool history_event(struct store *store, int64_t job_no, const char *kind,
                   const char *text, struct err *err)
{
    record_event(store_record(store), job_no, kind, -1, text, clock_wall_ms());
    return store_put(store, err);
}

bool history_exclude(struct store *store, int64_t job_no, const int32_t *rows,
                     size_t n, const char *text, struct err *err)
{
    struct buf *record = store_record(store);
    int64_t at_ms = clock_wall_ms();

    for (size_t i = 0; i < n; i++)
        record_event(record, job_no, "exclude", rows[i], text, at_ms);
    return n == 0 || store_put(store, err);
}

bool history_events(struct store *store, int64_t job_no, const char *kind,
                    void (*fn)(void *user, int32_t row, int64_t after_call,
                               const char *text),
                    void *user, struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = false;

    if (!store_read_settled(
            store, &read,
            "SELECT row, after_call, text FROM events WHERE job_no = ?1"
            " AND kind = ?2 AND row_check('events', id, sum, job_no, kind, row,"
            "  text, at_ms, after_call) ORDER BY id",
            "read the events of", err))
        goto out;
    (void)sqlite3_bind_int64(read.stmt, 1, job_no);
    (void)sqlite3_bind_text(read.stmt, 2, kind, -1, SQLITE_STATIC);
    while (sql_read_next(&read, err))
        fn(user, sqlite3_column_int(read.stmt, 0),
           sqlite3_column_int64(read.stmt, 1),
           or_empty((const char *)sqlite3_column_text(read.stmt, 2)));
    ok = !read.failed;

out:
    sql_read_close(&read);
    return ok;
}
