// row_scan: every row that a replay decides by, handed over quickly.
//
// A job of a million calls reads two million rows when it begins again, and
// handing a row out of SQLite column by column takes as long as finding it. So
// here the values go to a function of SQL, inside the statement: it reads each
// once, compares the row's sum (row_sum.h) and hands them to `take`.
//
//     SELECT 1 FROM calls WHERE row_scan(:scan, id, sum, id, key, outcome)
//
// row_scan(:scan, row, sum, value, ...) is never true, so that the statement
// gives no row and runs to its end in one step. The values are those that were
// summed, in their order, at most ROW_SCAN_VALUES of them. A sum that does not
// agree ends it as row_check does.

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
    // False, with err, ends the scan.
    bool (*take)(void *user, const struct row_value *values, struct err *err);
    void *user;
    struct err err; // of `take`
};

// Gives the function to a connection.
int row_scan_register(sqlite3 *db);

// Runs a statement that was opened, and has a parameter :scan.
bool row_scan_run(struct row_scan *scan, struct sql_read *read,
                  struct err *err);

#endif
