// writer: the one thread that writes, and the queue to it.
//
//     loop                     queue                     thread
//     ----                     -----                     ------
//     writer_put  --append-->  bytes under a mutex
//                              swapped as a whole  --->  BEGIN, rows ...
//                                                        COMMIT when the queue
//                                                        is empty, or when the
//     writer_durable  <------  atomic number  <--------  transaction is full
//     notice fd  <-----------  one byte in a pipe  <---
//
// While a commit waits for the disk the queue grows, so the slower the disk,
// the larger the groups; an idle writer commits a single put at once.
//
// Before each commit the writer checks that the file at its path still is the
// one it writes: data written to a file that was removed, moved or replaced is
// lost and must not be reported as durable.
//
// A full or failing disk may recover while the program runs. So a transaction
// that cannot be written is retried every half second, for as long as the owner
// has patience (writer_set_patience; none by default). Meanwhile the writer is
// behind, and nothing more becomes durable. When the patience ends, or if the
// cause cannot go away, the writer is broken for good: puts after the last
// durable number are dropped, and later puts are refused.
//
// A put never waits for the disk, since its caller has others to serve. Above
// WRITER_QUEUE_BYTES the writer is behind: its owner should take on no new work
// until it has caught up. Work that was already begun may still be put, up to
// WRITER_MAX_BYTES; beyond that a put is refused, so that memory stays bounded
// whatever the disk does.
//
// writer_put, put_draft, flush and stop belong to one thread.

#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/buf.h"
#include "common/err.h"
#include "store/draft.h"
#include "store/lock.h"

enum {
    WRITER_QUEUE_BYTES = 4 << 20,
    WRITER_MAX_BYTES = 512 << 20,
};

struct writer;

// Starts a writer that owns db, a connection without any other user. path and
// file, the lock of the file that should be there, are borrowed. Returns NULL
// on failure; db then still belongs to the caller.
struct writer *writer_start(sqlite3 *db, const char *path,
                            const struct file_lock *file, struct err *err);

// Commits what was put, ends the thread, closes db. Accepts NULL.
void writer_stop(struct writer *writer);

// Queues a copy of a record (record.h). Returns false when out of memory, if
// the record has failed, above WRITER_MAX_BYTES, or once the writer is broken.
bool writer_put(struct writer *writer, const struct buf *record,
                struct err *err);

// Queues all puts of the draft. On success takes its bytes and leaves it empty.
// Fails like writer_put.
bool writer_put_draft(struct writer *writer, struct draft *draft,
                      struct err *err);

// Sets how long a failing transaction is retried; below 0 means forever. May be
// called from any thread.
void writer_set_patience(struct writer *writer, int64_t ms);

// Returns true while a failed transaction is being retried. May be called from
// any thread.
bool writer_troubled(const struct writer *writer);
// Returns true if more than WRITER_QUEUE_BYTES is queued, or the disk accepts
// nothing. May be called from any thread.
bool writer_behind(const struct writer *writer);

uint64_t writer_last_put(const struct writer *writer);
uint64_t writer_durable(const struct writer *writer);
bool writer_healthy(const struct writer *writer, struct err *err);
bool writer_flush(struct writer *writer, struct err *err);

// See store_wait and store_wait_untroubled. May be called from any thread.
bool writer_wait(struct writer *writer, uint64_t put, struct err *err);
bool writer_wait_untroubled(struct writer *writer, uint64_t put,
                            struct err *err);

// See store_notice_fd and store_notice_clear.
int writer_notice_fd(const struct writer *writer);
void writer_notice_clear(struct writer *writer);

#endif
