#include "store/row_scan.h"

#include <stddef.h>

#include "store/row_sum.h"

// Marks a parameter as a struct row_scan, for sqlite3_bind_pointer.
static const char kind[] = "row_scan";

enum { SCAN, ROW, SUM, VALUES }; // arguments

static void take_row(sqlite3_context *context, int n, sqlite3_value **values)
{
    struct row_scan *scan = n < VALUES || n > VALUES + ROW_SCAN_VALUES
                                ? NULL
                                : sqlite3_value_pointer(values[SCAN], kind);
    struct row_value read[ROW_SCAN_VALUES];
    struct row_value sum;

    if (scan == NULL) {
        sqlite3_result_error(context, "row_scan is only for promptcc itself",
                             -1);
        return;
    }
    sum = row_value_read(values[SUM]);
    for (int i = 0; i < n - VALUES; i++)
        read[i] = row_value_read(values[VALUES + i]);
    if (!row_sum_agrees(&sum, n - VALUES, read))
        row_sum_fail(context, scan->table, sqlite3_value_int64(values[ROW]));
    else if (!scan->take(scan->user, read, &scan->err))
        sqlite3_result_error(context, scan->err.text, -1);
    else
        sqlite3_result_int(context, 0);
}

int row_scan_register(sqlite3 *db)
{
    return sqlite3_create_function_v2(db, "row_scan", -1,
                                      SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL,
                                      take_row, NULL, NULL, NULL);
}

bool row_scan_run(struct row_scan *scan, struct sql_read *read, struct err *err)
{
    int parameter = sqlite3_bind_parameter_index(read->stmt, ":scan");

    scan->err = ERR_CLEAR;
    (void)sqlite3_bind_pointer(read->stmt, parameter, scan, kind, NULL);
    (void)sql_read_next(read, err);
    if (scan->err.code != ERR_NONE)
        *err = scan->err;
    return !read->failed;
}
