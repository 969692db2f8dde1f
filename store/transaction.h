// transaction: puts that become durable together, or not at all.
//
//              add           commit
//     empty --------> open ----------> empty    everything is on disk
//                      |  ^
//               failed |  | again               the same puts, from the first
//                      v  |
//                   rolled back
//
// A failed commit is rolled back by SQLite or by us, so all of its puts are
// kept until the disk has them, and can be written again. Those of a draft are
// kept in place; all others are copied.
//
// Functions return SQLite's codes, because the owner decides what to do about a
// failure (writer.h). Use from one thread at a time.

#ifndef STORE_TRANSACTION_H
#define STORE_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>

#include <sqlite3.h>

#include "common/buf.h"
#include "common/err.h"
#include "store/frames.h"
#include "store/record.h"

enum {
    TRANSACTION_PUTS = 512, // each call takes two
    TRANSACTION_BYTES = 4 << 20,
};

struct transaction {
    sqlite3 *db;                       // borrowed
    sqlite3_stmt *stmts[RECORD_KINDS]; // owned, like the next two
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    struct buf kept;     // owned: frames of its puts; `stays` follows
    struct frames stays; // frames that are not copied: a draft's
    unsigned n;          // puts; 0: not open
};

// Prepares the statements. max_bytes limits what is kept. Returns false and
// fills err if a table is missing or memory runs out; path is for that message.
bool transaction_init(struct transaction *transaction, sqlite3 *db,
                      const char *path, size_t max_bytes, struct err *err);
void transaction_release(struct transaction *transaction); // may be zeroed

// How the transaction keeps a frame until it is on disk: in a copy, or where it
// is. A frame in place stays there until the transaction is empty, and directly
// follows the one added before it.
enum frames_kept { FRAMES_COPIED, FRAMES_IN_PLACE };

// Adds a put, given as a frame, and opens the transaction if it is the first.
// *rc receives SQLite's result.
// Returns false if there was no memory to keep the frame; nothing was written
// then.
bool transaction_add(struct transaction *transaction, struct frames frame,
                     enum frames_kept how, int *rc);

// Returns true if it should be committed before more is added.
bool transaction_is_full(const struct transaction *transaction);

// Commits the open transaction. If that fails, the puts are kept.
int transaction_commit(struct transaction *transaction);

// Writes and commits all puts again, from the first.
int transaction_again(struct transaction *transaction);

// Rolls back what is not committed; the puts are kept.
void transaction_roll_back(struct transaction *transaction);

// Forgets the puts, which are on disk now.
void transaction_clear(struct transaction *transaction);

#endif
