// Events, workers, and the sums for the result.

#include "store/history.h"

#include <math.h>
#include <string.h>

#include "common/clock.h"
#include "store/parts.h"

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

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

static struct history_cost read_cost(sqlite3_stmt *stmt)
{
    struct history_cost cost = {
        .calls = sqlite3_column_int64(stmt, 1),
        .prompt_tokens = sqlite3_column_int64(stmt, 2),
        .cached_tokens = sqlite3_column_int64(stmt, 4),
        .generated_tokens = sqlite3_column_int64(stmt, 5),
        .hedged = sqlite3_column_int64(stmt, 6),
    };

    cost.cached_known =
        cost.calls > 0 && sqlite3_column_int64(stmt, 3) == cost.calls;
    return cost;
}

bool history_costs(struct store *store, int64_t job_no,
                   const char *const *roles, size_t n, struct history_cost *out,
                   struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = false;

    memset(out, 0, n * sizeof *out);
    if (!store_read(store, &read,
                    "SELECT role, sum(calls), sum(prompt_tokens),"
                    " sum(cached_calls), sum(cached_tokens),"
                    " sum(generated_tokens), sum(hedged) FROM v_cost"
                    " WHERE job = (SELECT id FROM jobs WHERE no = ?1)"
                    " GROUP BY role",
                    "add up the calls of", err))
        goto out;
    (void)sqlite3_bind_int64(read.stmt, 1, job_no);
    while (sql_read_next(&read, err)) {
        const char *role = (const char *)sqlite3_column_text(read.stmt, 0);

        for (size_t i = 0; role != NULL && i < n; i++)
            if (strcmp(roles[i], role) == 0)
                out[i] = read_cost(read.stmt);
    }
    ok = !read.failed;

out:
    sql_read_close(&read);
    return ok;
}

bool history_judge(struct store *store, int64_t job_no, double *noise,
                   int64_t *unjudged, struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = false;

    *noise = -1;
    *unjudged = 0;
    if (!store_read(store, &read,
                    "SELECT avg(judge_noise * judge_noise),"
                    " coalesce(sum(outcome = 6), 0) FROM evaluations"
                    " WHERE job_no = ?1",
                    "add up the judge's noise in", err))
        goto out;
    (void)sqlite3_bind_int64(read.stmt, 1, job_no);
    if (sql_read_next(&read, err)) {
        if (sqlite3_column_type(read.stmt, 0) != SQLITE_NULL)
            *noise = sqrt(sqlite3_column_double(read.stmt, 0));
        *unjudged = sqlite3_column_int64(read.stmt, 1);
    }
    ok = !read.failed;

out:
    sql_read_close(&read);
    return ok;
}
