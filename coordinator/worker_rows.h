// worker_rows: what the store keeps of workers, one row per name.
//
// Workers that never answered a call may be made up, so few rows of such
// workers are written at once: NOTES_BURST, and then NOTES_PER_S
// (worker_rows.c). A worker that has answered, or already has a row, is always
// noted.
//
// Call only from the loop's thread.

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
