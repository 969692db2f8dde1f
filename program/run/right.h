// right: how likely a model thought the right answer was.
//
// Right or wrong says little about an example: a label that was missed by a
// hair and one that never came to mind both score 0. If the server says how
// likely its tokens were (common/logprobs.h), the probability of the right
// label says more, without another call. It helps a search to race and choose,
// but it is never the reported score.
//
// If the metric reads several labels, it is their mean. Labels are values of an
// enum or a bool; other outputs have no such number.

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

// What an example's answers have said so far. The sum is an integer, because
// answers come in any order and the sum must not depend on it.
struct right {
    int64_t sum; // in 10^-9
    size_t n;
};

// Returns true if an answer of the step has a label that the metric reads. Only
// then are its log-probabilities worth asking for.
bool right_is_measurable(const struct program *program,
                         const struct metric *metric, int step);

// What is run, and the metric that scores it.
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

// Adds what an answer says about the example's labels; nothing if it has no
// log-probabilities.
void right_add(struct right *right, const struct right_reads *reads,
               const struct right_answer *said, const json_t *example);

// Returns the mean, from 0 to 1, or -1 if nothing was added. It is a float,
// which is what the store keeps, so that a replay decides by the same number.
float right_probability(const struct right *right);

#endif
