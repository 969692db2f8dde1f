// draft: puts collected outside the writer's queue, in order, on any thread.
//
// A record is written where it stays. writer_put_draft queues all of them
// without a copy, and the writer's thread takes them from there: however large
// they are, they are there once.
//
//   draft_begin    where the next record is to be appended
//   draft_end      it is whole; or it is forgotten, where it has failed
//
// One thread at a time.

#ifndef STORE_DRAFT_H
#define STORE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct draft {
    struct buf frames; // owned (frames.h), at most 256 MiB
    size_t begun;      // where the frame of an unfinished record begins, or len
    uint64_t puts;     // records that are whole
};
#define DRAFT_INIT ((struct draft){.frames = BUF_INIT(256 << 20)})

// Where a record is to be appended. One that was begun before and not ended is
// forgotten.
struct buf *draft_begin(struct draft *draft);

// The record is whole. False, and it is forgotten, where it has failed: no
// memory, or ERR_LIMIT above RECORD_MAX_BYTES.
bool draft_end(struct draft *draft, struct err *err);

#endif
