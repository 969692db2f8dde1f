// row_sum: whether a row is read as it was written.
//
// SQLite notices pages that cannot be, but not a text or a number that changed:
// a block of the disk that came back as zeros after a power cut, a flipped bit,
// a read that ended too early. A replay would take such an answer for the
// model's and end with another compiled file, without a word. So rows that a
// replay decides by hold a sum of their values. Two SQL functions make and
// compare it, and a statement says which values:
//
//     INSERT INTO calls(id, key, ..., sum) VALUES(?1, ?2, ..., row_sum(?1, ?2))
//     SELECT id, key FROM calls WHERE row_check('calls', id, sum, id, key)
//
// row_check is 1, also where there is no sum, as in rows of older stores; else
// the statement fails with ROW_DAMAGED and a sentence for sql_fail.
//
// The sum is our own: stores are about that hold it, and with another one every
// row of theirs would be damaged. Nor does it have to withstand somebody who
// wants two rows with one sum, and who could write the sum anew as well: a disk
// does not try. Beside it libsodium's SipHash takes 1.3 times as long for an
// evaluation, of which a replay reads a million, and 2.5 times for a file of
// 20 kB, after the values were copied into one buffer; its BLAKE2b, which takes
// one value after the other, 5 and 9 times.
//
// Rejected: sums of pages, by a layer below SQLite. They would cover indexes
// and every other row, but a page that another program writes (VACUUM INTO, or
// a sqlite3 that moves the log of a killed run into the file) has none, and the
// store is the user's to open with any tool. PRAGMA quick_check reads all of
// the file, and sees no text.

#ifndef STORE_ROW_SUM_H
#define STORE_ROW_SUM_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "store/row_value.h"

// SQLite's code for a damaged file, with an extension that it does not use.
enum { ROW_DAMAGED = SQLITE_CORRUPT | (0x70 << 8) };

// Gives the two functions to a connection.
int row_sum_register(sqlite3 *db);

// For functions of SQL that check rows themselves (row_scan.h): whether n
// values have that sum, and what is said where they do not.
bool row_sum_agrees(const struct row_value *sum, int n,
                    const struct row_value *values);
void row_sum_fail(sqlite3_context *context, const char *table, int64_t row);

#endif
