// store: one SQLite file with everything that was paid for.
//
// Invariants:
//  1. One process writes: it holds an OFD lock on FILE.lock. Readers always
//     work; they open the file read-only and hold no snapshot over 5 s.
//  2. One thread writes: all rows pass through its queue and are committed in
//     the order in which they were put, so a row is never durable without
//     those before it.
//  3. Group commit: a transaction ends when the queue is empty or after 256
//     puts. synchronous=FULL, WAL.
//  4. What is not durable has not happened: to act on an answer, wait until
//     store_durable passes the number that its put returned.
//  5. A commit that fails is tried again for as long as store_set_patience
//     says. After that the store is broken until it is opened again: nothing
//     more is written, store_healthy says why.
//  6. Ids are given out by put, not by SQLite, so no one waits for an insert.
//
// The functions here and in calls.h and history.h belong to one thread (the
// coordinator's loop); only the writer inside is another. Schema version,
// tables and views are described in docs/store.md. To change the schema, raise
// STORE_VERSION, add a step to schema.c, and keep the old steps.
// parts.h shows what a store is made of; no other room needs it.

#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { STORE_VERSION = 10 };

struct store;

// Opens for writing: creates or migrates the file, takes the lock, starts the
// writer. ERR_BUSY: another process has it (host and pid named). ERR_INPUT:
// the path cannot be (read-only, no such folder, a network file system, a
// newer version, no SQLite file), with the remedy.
struct store *store_open(const char *path, struct err *err);

// Opens for reading alone; the file must exist. A store of an older promptcc is
// upgraded first, since what is asked of it names columns that it may not have;
// where that cannot be done now, one of this version is read as it is.
struct store *store_open_read(const char *path, struct err *err);

// Commits what was put, ends the writer, gives the lock back. NULL is fine.
void store_close(struct store *store);

const char *store_path(const struct store *store);

// True while some process writes to it.
bool store_in_use(const struct store *store);

// Readable whenever store_durable or store_healthy may have changed;
// store_notice_clear makes it quiet again; look at both after it. -1 for a
// store that is open for reading alone.
int store_notice_fd(const struct store *store);
void store_notice_clear(struct store *store);

// Every put gets the next number, from 1. All up to store_durable are on disk.
uint64_t store_last_put(const struct store *store);
uint64_t store_durable(const struct store *store);

// Whether the disk is behind with what was put. Puts never wait for it: the
// owner takes on no new work until it has caught up, of which it gets a notice.
bool store_behind(const struct store *store);
// Whether writing to the disk fails now, and what was put is being tried again.
bool store_troubled(const struct store *store);

// How long a commit that fails (a full disk) is tried again before the store is
// broken: not at all, unless this is called; below 0: for ever. Meanwhile the
// store is behind.
void store_set_patience(struct store *store, int64_t ms);

// Puts that a thread of the background makes, on a store of its own that is
// open for reading alone: from begin on they are kept, and the loop puts them
// all at once, in order. Ids of new jobs begin with next_job_no.
struct draft;
bool store_draft_begin(struct store *reader, int64_t next_job_no,
                       struct err *err);
// Ends it and gives what was kept; the caller frees. NULL without memory.
struct draft *store_draft_take(struct store *reader);
bool store_put_draft(struct store *store, struct draft *draft, struct err *err);
void store_draft_free(struct draft *draft); // NULL is fine

// False with ERR_STORE once a commit failed for good (a full disk, an I/O
// error).
bool store_healthy(const struct store *store, struct err *err);

// Waits until that put is durable; false when it never will be, for the store
// is broken, or, without patience, while the disk takes nothing. The one
// function here for any thread.
bool store_wait(struct store *store, uint64_t put, bool patient,
                struct err *err);

// Waits until all that was put is durable.
bool store_flush(struct store *store, struct err *err);

#endif
