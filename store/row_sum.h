// row_sum: detects rows that are not read back as they were written.
//
// SQLite notices impossible pages, but not a changed text or number: a disk
// block that came back as zeros after a power failure, a flipped bit, a read
// that ended early. A replay would take such an answer for the model's and
// silently end with a different compiled file. So every row that a replay
// depends on holds a sum of its values. Two SQL functions make and check it,
// and the statement lists the values:
//
//     INSERT INTO calls(id, key, ..., sum) VALUES(?1, ?2, ..., row_sum(?1, ?2))
//     SELECT id, key FROM calls WHERE row_check('calls', id, sum, id, key)
//
// row_check returns 1 if the sum matches or is missing, as in rows of older
// stores. Otherwise the statement fails with ROW_DAMAGED and a sentence for
// sql_fail.
//
// The algorithm is our own and must not change: existing stores contain its
// sums, and with another algorithm all of their rows would look damaged. It
// does not need to resist an attacker who constructs two rows with the same
// sum; whoever can do that can rewrite the sum as well. The alternatives in
// libsodium are slower. SipHash takes 1.3 times as long for an evaluation, of
// which a replay reads a million, and 2.5 times as long for a file of 20 kB,
// and needs the values copied into one buffer first. BLAKE2b, which accepts one
// value after another, takes 5 and 9 times as long.
//
// Rejected: sums of pages, made by a layer below SQLite. They would cover
// indexes and all other rows too. But pages written by another program (VACUUM
// INTO, or a sqlite3 that moves the log of a killed run into the file) have no
// sum, and users may open their store with any tool. PRAGMA quick_check reads
// the whole file and does not check texts.

#ifndef STORE_ROW_SUM_H
#define STORE_ROW_SUM_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "store/row_value.h"

// SQLite's code for a damaged file, with an extension that SQLite does not use.
enum { ROW_DAMAGED = SQLITE_CORRUPT | (0x70 << 8) };

// Registers the two functions with a connection.
int row_sum_register(sqlite3 *db);

// For SQL functions that check rows themselves (row_scan.h): row_sum_agrees
// tells whether n values have that sum, and row_sum_fail sets the error if they
// do not.
bool row_sum_agrees(const struct row_value *sum, int n,
                    const struct row_value *values);
void row_sum_fail(sqlite3_context *context, const char *table, int64_t row);

#endif
