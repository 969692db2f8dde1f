// evaluation_index: a job's evaluations, in memory.
//
// By candidate, row and replicate. An evaluation has 16 bytes and 6 to 12 of
// slots (slots.h). What came of it, and its replicate, is a verdict, and most
// evaluations share a few of these (right, wrong, no answer): each stands here
// once, with 24 bytes. Where probabilities are told nearly every verdict is
// another, and they add up to about 60 bytes an evaluation.
//
// The one call that most evaluations rest on stands in the evaluation itself,
// several in a list beside. Ids of calls and candidates are kept as 32 bits,
// which is why a store takes no more of them than that.

#ifndef STORE_EVALUATION_INDEX_H
#define STORE_EVALUATION_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/history.h"
#include "store/slots.h"

struct evaluation_entry {
    uint32_t candidate;
    int32_t row;
    uint32_t verdict; // in `verdicts`
    uint32_t calls;   // the id of its only call, or where its list begins
};

struct verdict {
    double score;
    float p_right;
    int32_t replicate;
    uint16_t lenient;
    uint16_t n_calls;
    uint8_t repairs;
    uint8_t outcome;
};

struct evaluation_index {
    struct slots slots;               // of the entries
    struct evaluation_entry *entries; // owned, by position
    size_t cap;
    struct slots verdict_slots;
    struct verdict *verdicts; // owned, by position
    size_t verdicts_cap;
    uint32_t *calls; // owned; ids where there are several, list after list
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

// Whether it can be kept: its candidate's id is one of 32 bits.
bool evaluation_index_takes(int64_t candidate_id);

// Makes room for one more with n_calls calls, so that its add cannot fail.
bool evaluation_index_reserve(struct evaluation_index *index, int32_t n_calls,
                              struct err *err);

// One whose candidate, row and replicate are new.
void evaluation_index_add(struct evaluation_index *index,
                          const struct history_evaluation *evaluation);

#endif
