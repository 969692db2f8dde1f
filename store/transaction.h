// transaction: puts that become durable together, or not at all.
//
//              add           commit
//     empty --------> open ----------> empty    all of it is on the disk
//                      |  ^
//               failed |  | again               the same puts, from the first
//                      v  |
//                   rolled back
//
// A commit that fails is rolled back by SQLite or by us, so all puts of it are
// kept until the disk has them, and can be written once more. Those of a draft
// are kept where they lie; all others are copied.
//
// It returns SQLite's codes, for what to do about a failure is its owner's to
// decide (writer.h). One thread at a time.

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
    TRANSACTION_PUTS = 512, // two of each call
    TRANSACTION_BYTES = 4 << 20,
};

struct transaction {
    sqlite3 *db;                       // borrowed
    sqlite3_stmt *stmts[RECORD_KINDS]; // owned, as the next two
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    struct buf kept;     // owned: frames of its puts, and behind
    struct frames stays; // them those that are not copied: a draft's
    unsigned n;          // puts; 0: none is open
};

// Prepares the statements. max_bytes: of what is kept. False, and err says why,
// where SQLite has not all tables or no memory; path is for that message.
bool transaction_init(struct transaction *transaction, sqlite3 *db,
                      const char *path, size_t max_bytes, struct err *err);
void transaction_release(struct transaction *transaction); // zeroed is fine

// Adds a put, a frame, and opens the transaction when it is the first. stays:
// the frame stays where it is until the transaction is empty, and lies behind
// the one that was added last. *rc: what SQLite says. False: there was no
// memory to keep it; nothing was written.
bool transaction_add(struct transaction *transaction, struct frames frame,
                     bool stays, int *rc);

// Whether it should be committed before more is added.
bool transaction_is_full(const struct transaction *transaction);

// Commits what is open. Where that fails the puts are kept.
int transaction_commit(struct transaction *transaction);

// Writes and commits all puts once more, from the first.
int transaction_again(struct transaction *transaction);

// Takes back what is not committed; the puts are kept.
void transaction_roll_back(struct transaction *transaction);

// Forgets the puts: they are on the disk.
void transaction_clear(struct transaction *transaction);

#endif
