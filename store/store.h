// store: one SQLite file with everything that was paid for.
//
// Invariants:
//  1. One process writes: it holds an OFD lock on FILE.lock. Readers always
//     work; they open the file read-only and hold no snapshot over 5 s.
//  2. One thread writes: all rows pass through its queue and are committed in
//     the order in which they were put, so a row is never durable without
//     those before it.
//  3. Group commit: a transaction ends when the queue is empty, or after 512
//     puts or 4 MiB (transaction.h). synchronous=FULL, WAL.
//  4. What is not durable has not happened: before acting on an answer, wait
//     until store_durable reaches the number that its put returned.
//  5. A commit that fails is retried for as long as store_set_patience allows.
//     After that the store is broken until it is opened again: nothing more is
//     written, and store_healthy says why.
//  6. Put assigns the ids, not SQLite, so nobody waits for an insert.
//
// The functions here and in calls.h and history.h belong to one thread (the
// coordinator's loop); only the writer inside is another. docs/store.md
// describes the schema version, tables and views. To change the schema, raise
// STORE_VERSION, add a step to schema.c, and keep the old steps. parts.h shows
// what a store consists of; no other room needs it.

#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { STORE_VERSION = 11 };

struct store;

// Opens a store for writing: creates or migrates the file, takes the lock,
// starts the writer. Fails with ERR_BUSY if another process has it (naming host
// and pid), and with ERR_INPUT if the path is unusable (read-only, no such
// folder, a network file system, a newer version, not an SQLite file), naming
// the remedy.
struct store *store_open(const char *path, struct err *err);

// Opens a store read-only; the file must exist. A store of an older promptcc is
// upgraded first, since queries name columns that it may not have; if that
// fails, the store is refused. One of this version that only has other views is
// read as it is if they cannot be replaced now.
struct store *store_open_read(const char *path, struct err *err);

// Commits what was put, ends the writer, releases the lock. Accepts NULL.
void store_close(struct store *store);

const char *store_path(const struct store *store);

// Returns true while some process writes to the store.
bool store_in_use(const struct store *store);

// Returns a descriptor that is readable whenever store_durable or store_healthy
// may have changed. Call store_notice_clear to make it quiet again, and check
// both afterwards. Returns -1 for a read-only store.
int store_notice_fd(const struct store *store);
void store_notice_clear(struct store *store);

// Every put gets the next number, from 1. All puts up to store_durable are on
// disk.
uint64_t store_last_put(const struct store *store);
uint64_t store_durable(const struct store *store);

// Returns true if the disk cannot keep up with the puts. Puts never wait for
// it; instead, the owner takes on no new work until the disk has caught up,
// which is announced by a notice.
bool store_behind(const struct store *store);
// Returns true while writing to the disk fails and the puts are being retried.
bool store_troubled(const struct store *store);

// Sets how long a failing commit (a full disk) is retried before the store is
// broken. The default is not at all; below 0 means forever. Meanwhile the store
// is behind.
void store_set_patience(struct store *store, int64_t ms);

// Lets a background thread make puts on its own read-only store: from begin on,
// its puts are collected, and the loop then puts them all at once, in order.
// The ids of new jobs start at next_job_no.
struct draft;
bool store_draft_begin(struct store *reader, int64_t next_job_no,
                       struct err *err);
// Ends the draft and returns it; the caller frees it. Returns NULL when out of
// memory.
struct draft *store_draft_take(struct store *reader);
bool store_put_draft(struct store *store, struct draft *draft, struct err *err);
void store_draft_free(struct draft *draft); // accepts NULL

// Returns false with ERR_STORE once a commit has failed for good (a full disk,
// an I/O error).
bool store_healthy(const struct store *store, struct err *err);

// Waits until that put is durable, for as long as a failing disk is retried.
// Returns false if it never will be, because the store is broken. This function
// and the next are the only ones here that any thread may call.
bool store_wait(struct store *store, uint64_t put, struct err *err);

// The same, but returns false at once while the store is troubled.
bool store_wait_untroubled(struct store *store, uint64_t put, struct err *err);

// Waits until everything that was put is durable, and so visible to SQL.
bool store_flush(struct store *store, struct err *err);

#endif
