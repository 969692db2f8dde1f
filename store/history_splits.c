// The rows of each share of a job's split, which are frozen when they are first
// drawn.

#include "store/history.h"

#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "store/parts.h"

enum { SPLIT_BYTES = 16 * 1024 * 1024 };

static bool put_row_list(struct buf *list, const size_t *rows, size_t n,
                         struct err *err)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(list, i == 0 ? "[%zu" : ",%zu", rows[i]);
    buf_puts(list, n == 0 ? "[]" : "]");
    return buf_ok(list, "the split", err);
}

static bool put_split(struct store *store, int64_t job_no, const char *share,
                      const struct buf *list, struct err *err)
{
    struct buf *record = store_record(store);

    record_begin(record, RECORD_SPLIT);
    record_int(record, job_no);
    record_text(record, share);
    record_text_n(record, list->data, list->len);
    record_end(record);
    return store_put(store, err);
}

// Returns the frozen list; NULL if there is none or on failure (*failed tells).
static char *find_split(struct store *store, int64_t job_no, const char *share,
                        bool *failed, struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    char *list = NULL;

    *failed = true;
    if (!store_read_settled(store, &read,
                            "SELECT row_numbers FROM splits WHERE job_no = ?1"
                            " AND share = ?2",
                            "read the history of", err))
        goto out;
    (void)sqlite3_bind_int64(read.stmt, 1, job_no);
    (void)sqlite3_bind_text(read.stmt, 2, share, -1, SQLITE_STATIC);
    *failed = false;
    if (sql_read_next(&read, err)) {
        list = sql_text_copy(read.stmt, 0, err);
        *failed = list == NULL;
    }
    *failed = *failed || read.failed;

out:
    sql_read_close(&read);
    return list;
}

bool history_split(struct store *store, int64_t job_no, const char *share,
                   const size_t *rows, size_t n, struct err *err)
{
    struct buf list = BUF_INIT(SPLIT_BYTES);
    char *frozen = NULL;
    bool failed = false;
    bool ok = false;

    if (!put_row_list(&list, rows, n, err))
        goto out;
    frozen = find_split(store, job_no, share, &failed, err);
    if (failed)
        goto out;
    if (frozen == NULL) {
        ok = put_split(store, job_no, share, &list, err);
        goto out;
    }
    ok = strcmp(frozen, list.data) == 0;
    if (!ok)
        err_set(err, ERR_DIFFERS,
                "the %s share differs from the one that the store %s froze for "
                "this job; start with a new store (--store) or another --seed",
                share, FILE_SHOWN(store->path, 80));

out:
    free(frozen);
    buf_release(&list);
    return ok;
}

bool history_has_row(struct store *store, int64_t job_no, int32_t row,
                     bool *has, struct err *err)
{
    struct sql_read read = SQL_READ_NONE;
    bool ok =
        store_read_settled(store, &read,
                           "SELECT count(*) = 0 OR sum(EXISTS(SELECT 1 FROM"
                           " json_each(row_numbers) WHERE value = ?2)) > 0"
                           " FROM splits WHERE job_no = ?1",
                           "read the history of", err);

    if (ok) {
        (void)sqlite3_bind_int64(read.stmt, 1, job_no);
        (void)sqlite3_bind_int(read.stmt, 2, row);
        *has =
            sql_read_next(&read, err) && sqlite3_column_int(read.stmt, 0) != 0;
        ok = !read.failed;
    }
    sql_read_close(&read);
    return ok;
}
