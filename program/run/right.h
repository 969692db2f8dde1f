// right: how likely a model thought the right answer.
//
// Right or wrong tells little of an example: a label that was missed by a hair
// and one that never came to mind both score 0. Where the server says how
// likely its tokens were (common/logprobs.h), the probability of the right
// label tells more from the same call. It helps a search to race and to choose;
// it is never the score that is reported.
//
// Of several labels that the metric reads it is the mean. Labels are values of
// an enum or a bool; other outputs have no such number.

#ifndef PROGRAM_RUN_RIGHT_H
#define PROGRAM_RUN_RIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/call.h"
#include "program/graph/adapter.h"
#include "program/graph/plan.h"
#include "program/metric/metric.h"

// What an example's answers have said so far. Whole numbers, for answers come
// in any order, and the sum must not depend on it.
struct right {
    int64_t sum; // in 10^-9
    size_t n;
};

// Whether an answer of the step holds a label that the metric reads: only then
// are its log-probabilities worth asking for.
bool right_is_told(const struct program *program, const struct metric *metric,
                   int step);

// What is run, and by what it is judged.
struct right_reads {
    const struct program *program;
    const struct plan *plan;
    const struct metric *metric;
};

// What a step answered, and in which form.
struct right_answer {
    int step;
    enum adapter form;
    const struct call_answer *answer;
};

// Adds what an answer says of the example's labels; nothing when it has no
// log-probabilities.
void right_add(struct right *right, const struct right_reads *reads,
               const struct right_answer *said, const json_t *example);

// The mean, from 0 to 1; -1 when nothing was said. A float, which is what the
// store keeps, so that a replay decides by the same number.
float right_probability(const struct right *right);

#endif
