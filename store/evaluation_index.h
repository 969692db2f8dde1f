// evaluation_index: a job's evaluations, in memory.
//
// By candidate, row and replicate. 24 bytes an evaluation on top of key_index
// (about 55 in all) and 4 a call: call ids are kept as 32 bits, which is why a
// store takes no more calls than that.

#ifndef STORE_EVALUATION_INDEX_H
#define STORE_EVALUATION_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/history.h"
#include "store/key_index.h"

struct evaluation_entry {
    double score;
    float p_right;
    uint32_t calls_at; // in `calls`
    uint16_t lenient;
    uint8_t repairs;
    uint8_t outcome;
    uint16_t n_calls;
};

struct evaluation_index {
    struct key_index keys;
    struct evaluation_entry *entries; // owned, by position
    size_t cap;
    uint32_t *calls; // owned; ids of all evaluations, one list after the other
    size_t n_calls;
    size_t calls_cap;
};

#define EVALUATION_INDEX_INIT ((struct evaluation_index){0})

void evaluation_index_release(struct evaluation_index *index);

// Fills all of out except feedback, which is set NULL. False when there is
// none.
bool evaluation_index_find(const struct evaluation_index *index,
                           int64_t candidate_id, int32_t row, int32_t replicate,
                           struct history_evaluation *out);

// Makes room for one more with n_calls calls, so that its add cannot fail.
bool evaluation_index_reserve(struct evaluation_index *index, int32_t n_calls,
                              struct err *err);

// One whose candidate, row and replicate are new.
void evaluation_index_add(struct evaluation_index *index,
                          const struct history_evaluation *evaluation);

#endif
