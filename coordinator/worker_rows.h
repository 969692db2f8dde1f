// worker_rows: what the store keeps of workers, a row for each name.
//
// Workers that never answered a call may be anybody's invention, so few rows of
// such are written at once: NOTES_BURST, and NOTES_PER_S from then on
// (worker_rows.c). One that was noted before, or has answered, always is.
//
// Belongs to the coordinator's loop.

#ifndef COORDINATOR_WORKER_ROWS_H
#define COORDINATOR_WORKER_ROWS_H

#include <stdint.h>

#include "common/token_bucket.h"

struct store;
struct worker_info;

struct worker_rows {
    struct store *store; // borrowed
    struct token_bucket unproven;
};

void worker_rows_init(struct worker_rows *rows, struct store *store);

// state: "serving", "draining", "left", "lost".
void worker_rows_note(struct worker_rows *rows, struct worker_info *worker,
                      const char *state, int64_t now);

#endif
