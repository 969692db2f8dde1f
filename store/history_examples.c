// The examples of a job, stored for people to look at.

#include "store/history.h"

#include "store/parts.h"

bool history_put_example(struct store *store, int64_t job_no,
                         const struct history_example *example, struct err *err)
{
    struct buf *record = store_record(store);

    record_begin(record, RECORD_EXAMPLE);
    record_int(record, job_no);
    record_int(record, example->row);
    record_text(record, example->share);
    record_text(record, example->file);
    record_int(record, example->line);
    record_text(record, example->inputs);
    record_text(record, example->labels);
    record_end(record);
    return store_put(store, err);
}

bool history_example_count(struct store *store, int64_t job_no, int64_t *n,
                           struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok = false;

    *n = 0;
    if (store_read_settled(store, &read,
                           "SELECT count(*) FROM examples WHERE job_no = ?1"
                           " AND file IS NOT NULL",
                           "read the examples of", err)) {
        (void)sqlite3_bind_int64(read.stmt, 1, job_no);
        ok = sql_read_next(&read, err);
        if (ok)
            *n = sqlite3_column_int64(read.stmt, 0);
    }
    sql_read_close(&read);
    return ok;
}
