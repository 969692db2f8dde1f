// split_scan: scans (row_scan.h) the two halves of a large table in parallel.
//
// To resume a job of a million calls, two tables are read to their end, and
// reading one is pure CPU work: SQLite decodes rows. So the caller's thread
// reads the first half of the rows, by id, and a second thread with its own
// connection reads the rest. The caller combines the results afterwards. A
// small table is read by the caller alone.
//
//     SELECT 1 FROM calls WHERE id > :after AND id <= :up_to
//      AND row_scan(:scan, id, sum, ...)
//
// The statement may have a parameter :job too. Rows that are added during the
// scan may or may not be read, as in any scan.

#ifndef STORE_SPLIT_SCAN_H
#define STORE_SPLIT_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "store/row_scan.h"
#include "store/store.h"

// Tables with a largest id below this are not worth a second connection.
enum { SPLIT_SCAN_LEAST = 50000 };

// Runs sql over all of scans[0].table. The `take` of scans[1] is called in
// another thread than that of scans[0], and gets the rows that come after
// those.
bool split_scan_run(struct store *store, const char *sql, int64_t job_no,
                    struct row_scan scans[2], struct err *err);

#endif
