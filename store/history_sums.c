// The sums for the result of a job: what its calls cost, and what its judge was
// worth.

#include "store/history.h"

#include <math.h>
#include <string.h>

#include "store/parts.h"

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
