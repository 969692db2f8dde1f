// evaluation_index: a job's evaluations, in memory.
//
// They are found by candidate, row and replicate. A trial asks for one
// candidate on hundreds of rows, so the evaluations of one candidate are kept
// together, in a table that fits the processor's cache. In a single table of a
// million, nearly every lookup would wait for memory.
//
// An evaluation takes 12 bytes, and its table is half to three quarters full.
// Its result is a verdict, and most evaluations share a few of these (right,
// wrong, no answer), so each distinct verdict is stored once, in 24 bytes. If
// probabilities are reported, nearly every verdict is different, and the total
// is about 50 bytes per evaluation.
//
// Most evaluations rest on a single call, whose id is stored in the evaluation
// itself; several ids go to a separate list. Ids of calls and candidates are
// kept as 32 bits, which is why a store accepts no more of them than that.

#ifndef STORE_EVALUATION_INDEX_H
#define STORE_EVALUATION_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/history.h"
#include "store/slots.h"

struct evaluation_entry {
    int32_t row;
    uint32_t verdict; // 1 + its position in `verdicts`; 0: a free place
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
    struct slots slots;              // finds the tables
    struct evaluation_table *tables; // owned, by position
    size_t tables_cap;
    // The table and verdict that were used last: the next evaluation often has
    // the same candidate and the same result.
    size_t last_table, last_verdict;
    struct slots verdict_slots;
    struct verdict *verdicts; // owned, by position
    size_t verdicts_cap;
    uint32_t *calls; // owned; lists of ids for evaluations with several calls
    size_t n_calls;
    size_t calls_cap;
};

#define EVALUATION_INDEX_INIT ((struct evaluation_index){0})

void evaluation_index_release(struct evaluation_index *index);

// Fills all of out except feedback, which it sets to NULL. Returns false if
// there is no such evaluation.
bool evaluation_index_find(const struct evaluation_index *index,
                           int64_t candidate_id, int32_t row, int32_t replicate,
                           struct history_evaluation *out);

// Returns true if the index can hold this candidate: its id must fit 32 bits.
bool evaluation_index_takes(int64_t candidate_id);

// Makes room for this evaluation, so that its add cannot fail.
bool evaluation_index_reserve(struct evaluation_index *index,
                              const struct history_evaluation *evaluation,
                              struct err *err);

// Adds an evaluation, for which room was reserved. If there already is one with
// the same candidate, row and replicate, the older one stays.
void evaluation_index_add(struct evaluation_index *index,
                          const struct history_evaluation *evaluation);

// Adds all evaluations of another index, and may take over its tables.
bool evaluation_index_add_all(struct evaluation_index *index,
                              struct evaluation_index *later, struct err *err);

#endif
