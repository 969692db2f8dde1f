// draft: puts collected in order outside of the writer's queue, on any thread.
//
// A record is written where it stays. writer_put_draft queues all records
// without a copy, and the writer's thread reads them in place, so however large
// they are, there is only one copy.
//
//   draft_begin    returns where to append the next record
//   draft_end      completes it, or discards it if it failed
//
// Use from one thread at a time.

#ifndef STORE_DRAFT_H
#define STORE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct draft {
    struct buf frames; // owned (frames.h), at most 256 MiB
    size_t begun;      // start of an unfinished record's frame, or len
    uint64_t puts;     // complete records
};
#define DRAFT_INIT ((struct draft){.frames = BUF_INIT(256 << 20)})

// Returns the buffer to append a record to. Discards a record that was begun
// earlier and not ended.
struct buf *draft_begin(struct draft *draft);

// Completes the record. If it failed, discards it and returns false: out of
// memory, or ERR_LIMIT above RECORD_MAX_BYTES.
bool draft_end(struct draft *draft, struct err *err);

#endif
