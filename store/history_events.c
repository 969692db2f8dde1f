// Events, workers, and the sums for the result.

#include "store/history.h"

#include "common/clock.h"
#include "store/parts.h"

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

bool history_event(struct store *store, int64_t job_no, const char *kind,
                   int32_t row, const char *text, struct err *err)
{
    struct buf *record = store_record(store);

    record_begin(record, RECORD_EVENT);
    record_int(record, job_no);
    record_text(record, kind);
    record_int(record, row);
    record_text(record, or_empty(text));
    record_int(record, clock_wall_ms());
    record_end(record);
    return store_put(store, err);
}

bool history_events(struct store *store, int64_t job_no, const char *kind,
                    void (*fn)(void *user, int32_t row, const char *text),
                    void *user, struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = false;

    if (!store_settle(store, err) ||
        !store_read(store, &read,
                    "SELECT row, text FROM events WHERE job_no = ?1"
                    " AND kind = ?2 ORDER BY id",
                    "read the events of", err))
        goto out;
    (void)sqlite3_bind_int64(read.stmt, 1, job_no);
    (void)sqlite3_bind_text(read.stmt, 2, kind, -1, SQLITE_STATIC);
    while (sql_read_next(&read, err))
        fn(user, sqlite3_column_int(read.stmt, 0),
           or_empty((const char *)sqlite3_column_text(read.stmt, 1)));
    ok = !read.failed;

out:
    sql_read_close(&read);
    return ok;
}

bool history_put_worker(struct store *store,
                        const struct history_worker *worker, struct err *err)
{
    struct buf *record = store_record(store);

    record_begin(record, RECORD_WORKER);
    record_text(record, worker->name);
    record_text(record, worker->state);
    record_text(record, or_empty(worker->server));
    record_int(record, worker->slots);
    record_text(record, worker->models != NULL ? worker->models : "[]");
    record_int(record, worker->calls);
    record_text(record, or_empty(worker->last_fault));
    record_int(record, clock_wall_ms());
    record_end(record);
    return store_put(store, err);
}

// cached_tokens is -1 where a server does not say: then the sum is not known.
bool history_cost(struct store *store, int64_t job_no, const char *role,
                  struct history_cost *out, struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = false;

    if (!store_read(store, &read,
                    "SELECT count(*), coalesce(sum(prompt_tokens), 0),"
                    " coalesce(sum(max(cached_tokens, 0)), 0),"
                    " coalesce(sum(generated_tokens), 0),"
                    " coalesce(sum(hedged), 0),"
                    " coalesce(min(cached_tokens), -1) >= 0"
                    " FROM calls WHERE job_no = ?1 AND kind_id IN"
                    " (SELECT id FROM call_kinds WHERE role = ?2)",
                    "add up the calls of", err))
        goto out;
    (void)sqlite3_bind_int64(read.stmt, 1, job_no);
    (void)sqlite3_bind_text(read.stmt, 2, role, -1, SQLITE_STATIC);
    if (!sql_read_next(&read, err))
        goto out;
    *out = (struct history_cost){
        .calls = sqlite3_column_int64(read.stmt, 0),
        .prompt_tokens = sqlite3_column_int64(read.stmt, 1),
        .cached_tokens = sqlite3_column_int64(read.stmt, 2),
        .generated_tokens = sqlite3_column_int64(read.stmt, 3),
        .hedged = sqlite3_column_int64(read.stmt, 4),
        .cached_known = sqlite3_column_int(read.stmt, 5) != 0,
    };
    ok = true;

out:
    sql_read_close(&read);
    return ok;
}
