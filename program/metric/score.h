// score: what a metric says about an answer: how good it is, and why not
// better.

#ifndef PROGRAM_METRIC_SCORE_H
#define PROGRAM_METRIC_SCORE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

enum { FEEDBACK_MAX_BYTES = 32 << 10 };

// The feedback is for whoever wants to make the next answer better: a person,
// or a teacher that rewrites an instruction. If the metric has no words of its
// own, the feedback says what the answer was and what would have been right
// (kind.h).
struct score {
    double value;   // 0..1
    char *feedback; // owned, or NULL: nothing to say
    // If the value is the mean of a judge's replicates, the variance of that
    // mean. Negative if unknown.
    double variance;
};

void score_release(struct score *score);

// Sets out's value and feedback, and empties the buffer.
bool score_give(struct score *out, double value, struct buf *feedback,
                struct err *err);

// Reads the answer of a user's program, {"score": 0..1, "feedback": text?} or a
// bare number. ERR_PROTOCOL if it is neither.
bool score_read(const char *text, size_t len, struct score *out,
                struct err *err);

#endif
