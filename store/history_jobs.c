// Jobs, and their times and models.

#include "store/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "store/parts.h"

enum { STATE_BYTES = 320 };

static void bind_text(struct sql_read *read, int column, const char *text)
{
    (void)sqlite3_bind_text(read->stmt, column, text, -1, SQLITE_STATIC);
}

// --- jobs ---

// Sets *no to 0 if there is no such job. Returns false on failure.
static bool find_job(struct store *store, const char *id, int64_t *no,
                     struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = false;

    *no = 0;
    if (!store_read_settled(store, &read, "SELECT no FROM jobs WHERE id = ?1",
                            "read the history of", err))
        goto out;
    bind_text(&read, 1, id);
    if (sql_read_next(&read, err))
        *no = sqlite3_column_int64(read.stmt, 0);
    ok = !read.failed;

out:
    sql_read_close(&read);
    return ok;
}

static bool put_job(struct store *store, int64_t no,
                    const struct history_job *job, struct err *err)
{
    struct buf *record = store_record(store);

    record_begin(record, RECORD_JOB);
    record_int(record, no);
    record_text(record, job->id);
    record_text(record, job->name);
    record_text(record, job->path);
    record_text(record, job->canonical);
    record_int(record, job->seed);
    record_int(record, job->replay_version);
    record_int(record, job->simulated);
    record_int(record, clock_wall_ms());
    record_end(record);
    return store_put(store, err);
}

int64_t history_job_no(struct store *store, const char *id, struct err *err)
{
    int64_t no = 0;

    (void)find_job(store, id, &no, err);
    return no;
}

int64_t history_reserve_job(struct store *store)
{
    return store->next_job_no++;
}

int64_t history_open_job(struct store *store, const struct history_job *job,
                         bool *created, struct err *err)
{
    int64_t no = 0;

    if (!find_job(store, job->id, &no, err))
        return 0;
    *created = no == 0;
    if (no != 0)
        return no;
    if (!put_job(store, store->next_job_no, job, err))
        return 0;
    return store->next_job_no++;
}

// Returns the first column of the only row of read, "" if it is NULL; NULL if
// there is no row.
static char *take_text(struct sql_read *read, struct err *err)
{
    return sql_read_next(read, err) ? sql_text_copy(read->stmt, 0, err) : NULL;
}

char *history_previous(struct store *store, const char *name, int64_t not_no,
                       const char *not_id, int64_t *version, struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    char *text = NULL;

    if (store_read_settled(
            store, &read,
            "SELECT canonical, replay_version FROM jobs WHERE name = ?1"
            " AND no <> ?2 AND id <> ?3 AND id NOT LIKE '%-eval'"
            " ORDER BY no DESC LIMIT 1",
            "read the history of", err)) {
        bind_text(&read, 1, name);
        (void)sqlite3_bind_int64(read.stmt, 2, not_no);
        bind_text(&read, 3, not_id);
        text = take_text(&read, err);
        if (text != NULL)
            *version = sqlite3_column_int64(read.stmt, 1);
    }
    sql_read_close(&read);
    return text;
}

// Adds an event such as "paused: no call was answered for 30 s".
static void add_state_event(struct buf *record, int64_t job_no,
                            const struct history_job_state *now, int64_t at_ms)
{
    bool has_reason = now->reason != NULL && now->reason[0] != '\0';
    char text[STATE_BYTES];

    (void)text_print(text, sizeof text, "%s%s%s", job_state_name(now->state),
                     has_reason ? ": " : "", has_reason ? now->reason : "");
    record_event(record, job_no, "state", -1, text, at_ms);
}

static void add_compiled(struct buf *record, int64_t job_no,
                         const struct history_job_state *now)
{
    record_begin(record, RECORD_JOB_COMPILED);
    record_int(record, job_no);
    record_text(record, now->compiled);
    record_int(record, now->state == JOB_DONE);
    record_real(record, now->score);
    record_end(record);
}

bool history_job_state(struct store *store, int64_t job_no,
                       const struct history_job_state *now, struct err *err)
{
    struct buf *record = store_record(store);
    int64_t at_ms = clock_wall_ms();

    if (now->compiled != NULL)
        add_compiled(record, job_no, now);
    record_begin(record, RECORD_JOB_STATE);
    record_int(record, job_no);
    record_text(record, job_state_name(now->state));
    record_text(record, now->reason != NULL ? now->reason : "");
    record_real(record, now->score);
    record_text(record, now->document);
    record_int(record, at_ms);
    record_end(record);
    add_state_event(record, job_no, now, at_ms);
    if (now->awaits != NULL)
        record_event(record, job_no, "awaits", -1, now->awaits, at_ms);
    return store_put(store, err);
}

// A paused job counts as long as no state was set after its "awaits" event.
static const char unfinished_sql[] =
    "SELECT no, id, EXISTS (SELECT 1 FROM submissions WHERE job_no = no),"
    " CASE state WHEN 'paused' THEN text END"
    " FROM jobs LEFT JOIN (SELECT job_no AS job, kind, text, max(id)"
    " FROM events WHERE kind IN ('state', 'awaits') GROUP BY job_no)"
    " ON job = no"
    " WHERE state IN ('running', 'queued')"
    " OR (state = 'paused' AND kind = 'awaits') ORDER BY no";

bool history_unfinished(struct store *store,
                        void (*fn)(void *user, const struct history_left *left),
                        void *user, struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = store_read_settled(store, &read, unfinished_sql,
                                 "read the history of", err);

    while (ok && sql_read_next(&read, err)) {
        const struct history_left left = {
            .no = sqlite3_column_int64(read.stmt, 0),
            .id = (const char *)sqlite3_column_text(read.stmt, 1),
            .whole = sqlite3_column_int(read.stmt, 2) != 0,
            .awaits = (const char *)sqlite3_column_text(read.stmt, 3)};

        fn(user, &left);
    }
    ok = ok && !read.failed;
    sql_read_close(&read);
    return ok;
}

// --- time ---

bool history_job_time(struct store *store, int64_t job_no, int64_t wall_ms,
                      struct err *err)
{
    struct buf *record = store_record(store);

    record_begin(record, RECORD_JOB_TIME);
    record_int(record, job_no);
    record_int(record, wall_ms);
    record_int(record, clock_wall_ms());
    record_end(record);
    return store_put(store, err);
}

bool history_load_time(struct store *store, int64_t job_no, int64_t *wall_ms,
                       struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = false;

    if (!store_read_settled(store, &read,
                            "SELECT wall_ms FROM jobs WHERE no = ?1",
                            "read the history of", err))
        goto out;
    (void)sqlite3_bind_int64(read.stmt, 1, job_no);
    *wall_ms = 0;
    if (sql_read_next(&read, err))
        *wall_ms = sqlite3_column_int64(read.stmt, 0);
    ok = !read.failed;

out:
    sql_read_close(&read);
    return ok;
}

// --- models ---

char *history_model(struct store *store, int64_t job_no, const char *role,
                    struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    char *digest = NULL;

    if (!store_read_settled(
            store, &read,
            "SELECT coalesce((SELECT digest FROM job_models"
            " WHERE job_no = ?1 AND role = ?2), '')"
            " WHERE row_check('job_models', ?1, (SELECT models_sum"
            "  FROM jobs WHERE no = ?1), " MODELS_OF_JOB ")",
            "read the history of", err))
        goto out;
    (void)sqlite3_bind_int64(read.stmt, 1, job_no);
    bind_text(&read, 2, role);
    digest = take_text(&read, err);

out:
    sql_read_close(&read);
    return digest;
}

bool history_pin_model(struct store *store, int64_t job_no,
                       const struct history_pin *pin, struct err *err)
{
    struct buf *record = store_record(store);

    record_begin(record, RECORD_JOB_MODEL);
    record_int(record, job_no);
    record_text(record, pin->role);
    record_text(record, pin->name);
    record_text(record, pin->digest);
    record_end(record);
    record_begin(record, RECORD_JOB_MODELS_SUM);
    record_int(record, job_no);
    record_end(record);
    if (pin->simulated) {
        record_begin(record, RECORD_JOB_SIMULATED);
        record_int(record, job_no);
        record_end(record);
    }
    return store_put(store, err);
}
