#include "store/remove.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/text.h"
#include "store/history.h"
#include "store/job_name.h"
#include "store/parts.h"

enum { SQL_BYTES = 1 << 16 };

// %1 is replaced by the job's number. `gone` are the calls to remove.
static const char statements[] =
    "BEGIN IMMEDIATE;"
    "INSERT INTO meta SELECT 'last_call', id FROM calls WHERE true"
    " ORDER BY id DESC LIMIT 1 ON CONFLICT(key) DO UPDATE SET value ="
    "  max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER));"
    "CREATE TEMP TABLE gone AS SELECT c.id FROM calls c"
    " JOIN call_kinds k ON k.id = c.kind_id WHERE c.job_no = %1"
    " AND NOT EXISTS (SELECT 1 FROM job_models m JOIN jobs j ON j.no = m.job_no"
    "  WHERE m.job_no <> %1 AND j.state <> 'removed' AND m.digest = k.digest);"
    "DELETE FROM call_texts WHERE id IN (SELECT id FROM gone);"
    "DELETE FROM calls WHERE id IN (SELECT id FROM gone);"
    "DROP TABLE gone;"
    "DELETE FROM costs WHERE job_no = %1 AND kind_id NOT IN"
    " (SELECT kind_id FROM calls WHERE job_no = %1);"
    "DELETE FROM questions WHERE id NOT IN"
    " (SELECT question_id FROM call_texts WHERE question_id IS NOT NULL);"
    "DELETE FROM prefixes WHERE id NOT IN"
    " (SELECT prefix_id FROM calls WHERE prefix_id IS NOT NULL);"
    "DELETE FROM evaluations WHERE job_no = %1;"
    "DELETE FROM bests WHERE job_no = %1;"
    "DELETE FROM trials WHERE job_no = %1;"
    "DELETE FROM candidate_parts WHERE candidate_id IN"
    " (SELECT id FROM candidates WHERE job_no = %1);"
    "DELETE FROM candidates WHERE job_no = %1;"
    "DELETE FROM instructions WHERE id NOT IN"
    " (SELECT instruction_id FROM candidate_parts);"
    "DELETE FROM demo_sets WHERE id NOT IN"
    " (SELECT demo_set_id FROM candidate_parts);"
    "DELETE FROM examples WHERE job_no = %1;"
    "DELETE FROM splits WHERE job_no = %1;"
    "DELETE FROM job_models WHERE job_no = %1;"
    "DELETE FROM submissions WHERE job_no = %1;"
    "DELETE FROM job_files WHERE job_no = %1;"
    "DELETE FROM events WHERE job_no = %1;"
    "UPDATE jobs SET state = 'removed', reason = '', score = NULL,"
    " document = NULL, compiled = NULL, compiled_sum = NULL, models_sum = NULL,"
    " canonical = '', path = '', wall_ms = 0"
    " WHERE no = %1;"
    "DELETE FROM jobs WHERE no = %1 AND NOT EXISTS"
    " (SELECT 1 FROM calls WHERE job_no = %1);"
    "COMMIT;";

static void put_removal(struct buf *sql, int64_t job_no)
{
    for (const char *at = statements; *at != '\0'; at++)
        if (at[0] == '%' && at[1] == '1') {
            buf_printf(sql, "%" PRId64, job_no);
            at++;
        } else {
            buf_putc(sql, *at);
        }
}

static bool count(struct store *store, const char *what, int64_t job_no,
                  int64_t *n, struct err *err)
{
    char sql[160];

    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM %s WHERE job_no = %" PRId64, what,
                   job_no);
    return sql_number(store->reader, store->path, sql, n, err);
}

// Runs the removal, and shrinks the file if possible; what other readers still
// hold stays until the next removal.
static bool run_removal(struct store *store, int64_t job_no, struct err *err)
{
    struct buf sql = BUF_INIT(SQL_BYTES);
    sqlite3 *db = NULL;
    bool ok = false;

    put_removal(&sql, job_no);
    if (!buf_ok(&sql, "the removal", err))
        goto out;
    if (sqlite3_open_v2(store->path, &db, SQLITE_OPEN_READWRITE, NULL) !=
        SQLITE_OK) {
        sql_fail(err, db, sqlite3_errcode(db), store->path, "open");
        goto out;
    }
    ok = sql_run(db, store->path, sql.data, "remove a job from", err);
    if (ok)
        (void)sqlite3_exec(db, "VACUUM", NULL, NULL, NULL);

out:
    (void)sqlite3_close(db);
    buf_release(&sql);
    return ok;
}

// Finds the job that was asked for.
static void find_job(struct store *store, struct removed *removed)
{
    char *id = NULL;

    if (removed->asked[0] == '\0')
        err_set(&removed->err, ERR_INPUT, "name the id of the job to remove");
    else
        id = job_name_find(store, removed->asked, &removed->err);
    (void)text_print(removed->job, sizeof removed->job, "%s",
                     id == NULL ? "" : id);
    free(id);
}

static void remove_job(struct store *store, struct removed *removed)
{
    struct err *err = &removed->err;
    int64_t job_no = history_job_no(store, removed->job, err);
    int64_t before = 0;

    if (job_no != 0 && count(store, "trials", job_no, &removed->trials, err) &&
        count(store, "calls", job_no, &before, err) &&
        run_removal(store, job_no, err) &&
        count(store, "calls", job_no, &removed->kept, err))
        removed->calls = before - removed->kept;
}

// Returns true if an earlier one is the same job.
static bool is_repeated(const struct removed *all, size_t at)
{
    for (size_t i = 0; all[at].err.code == ERR_NONE && i < at; i++)
        if (strcmp(all[i].job, all[at].job) == 0)
            return true;
    return false;
}

bool store_remove(const char *path, const struct removal *removal,
                  struct err *err)
{
    struct removed *all = calloc(removal->n + 1, sizeof *all);
    struct store *store = NULL;

    if (all == NULL)
        err_nomem(err, "the jobs to remove");
    else
        store = store_open(path, err); // takes the lock
    for (size_t i = 0; store != NULL && i < removal->n; i++) {
        all[i].asked = removal->jobs[i];
        find_job(store, &all[i]);
    }
    for (size_t i = 0; store != NULL && i < removal->n; i++) {
        if (is_repeated(all, i))
            continue;
        if (all[i].err.code == ERR_NONE)
            remove_job(store, &all[i]);
        removal->done(removal->user, &all[i]);
    }
    bool ok = store != NULL;
    store_close(store);
    free(all);
    return ok;
}
