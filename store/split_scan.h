// split_scan: a scan (row_scan.h) of a large table in two halves, both at once.
//
// A job of a million calls is resumed when two tables were read to their end,
// and reading one is work for the processor alone: SQLite takes rows apart. So
// the caller's thread reads the first half of the rows, by their ids, and a
// thread with a connection of its own the second. What they take is put
// together by the caller afterwards. A small table is read by the caller alone.
//
//     SELECT 1 FROM calls WHERE id > :after AND id <= :up_to
//      AND row_scan(:scan, id, sum, ...)
//
// The statement may have a parameter :job too. Rows that are added meanwhile
// may be read or not, as with any scan that began before.

#ifndef STORE_SPLIT_SCAN_H
#define STORE_SPLIT_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "store/row_scan.h"
#include "store/store.h"

// Tables with smaller ids are not worth another connection.
enum { SPLIT_SCAN_LEAST = 50000 };

// Runs sql over the whole of scans[0].table. The `take` of scans[1] is called
// in another thread than that of scans[0], with rows that come after its own.
bool split_scan_run(struct store *store, const char *sql, int64_t job_no,
                    struct row_scan scans[2], struct err *err);

#endif
