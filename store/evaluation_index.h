// evaluation_index: a job's evaluations, in memory.
//
// They are found by candidate, row and replicate. A trial asks for one
// candidate on hundreds of rows, so the evaluations of a candidate stand
// together, in a table of their own that the processor's cache holds. In one
// table of a million, nearly each look would have to wait for memory.
//
// An evaluation takes 12 bytes, and its table is half to three quarters full.
// What came of it is a verdict, and most evaluations share a few of these
// (right, wrong, no answer): each stands here once, with 24 bytes. Where
// probabilities are told nearly every verdict is another, and they add up to
// about 50 bytes an evaluation.
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
    int32_t row;
    uint32_t verdict; // its position in `verdicts` and 1; 0: a free place
    uint32_t calls;   // the id of its only call, or where its list begins
};

// Open addressing by row, with linear probing; nothing is ever removed.
struct evaluation_table {
    uint32_t candidate;
    int32_t replicate;
    uint32_t n;
    uint32_t cap;
    struct evaluation_entry *places; // owned; cap of them
};

struct verdict {
    double score;
    float p_right;
    uint16_t lenient;
    uint16_t n_calls;
    uint8_t repairs;
    uint8_t outcome;
};

struct evaluation_index {
    struct slots slots;              // of the tables
    struct evaluation_table *tables; // owned, by position
    size_t tables_cap;
    // Of what was added last, since what comes next is often of the same
    // candidate and came to the same.
    size_t last_table, last_verdict;
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

// Makes room for that one, so that its add cannot fail.
bool evaluation_index_reserve(struct evaluation_index *index,
                              const struct history_evaluation *evaluation,
                              struct err *err);

// Adds an evaluation, for which room was made. If there is one of the same
// candidate, row and replicate already, that one stays.
void evaluation_index_add(struct evaluation_index *index,
                          const struct history_evaluation *evaluation);

// The same for all of another index, which may lose its tables to this one.
bool evaluation_index_add_all(struct evaluation_index *index,
                              struct evaluation_index *later, struct err *err);

#endif
