// row_scan: reads every row that a replay depends on, quickly.
//
// A job of a million calls reads two million rows when it resumes, and getting
// a row out of SQLite column by column takes as long as finding it. So the
// values go to an SQL function inside the statement instead: it reads each
// value once, compares the row's sum (row_sum.h), and passes the values to
// `take`.
//
//     SELECT 1 FROM calls WHERE row_scan(:scan, id, sum, id, key, outcome)
//
// row_scan(:scan, row, sum, value, ...) is never true, so the statement returns
// no row and runs to its end in one step. The values are those that were
// summed, in the same order, at most ROW_SCAN_VALUES of them. A wrong sum ends
// the statement as row_check does.

#ifndef STORE_ROW_SCAN_H
#define STORE_ROW_SCAN_H

#include <stdbool.h>

#include <sqlite3.h>

#include "common/err.h"
#include "store/row_value.h"
#include "store/sql.h"

enum { ROW_SCAN_VALUES = 16 };

struct row_scan {
    const char *table; // for row_sum_fail
    // Returns false, and fills err, to end the scan.
    bool (*take)(void *user, const struct row_value *values, struct err *err);
    void *user;
    struct err err; // from `take`
};

// Registers the function with a connection.
int row_scan_register(sqlite3 *db);

// Runs an opened statement that has a parameter :scan.
bool row_scan_run(struct row_scan *scan, struct sql_read *read,
                  struct err *err);

#endif
