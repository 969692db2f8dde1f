// metric: how good an answer is, from 0 to 1.
//
// Metrics are rows of a table (metric.c), one file each in kinds/. Most are
// pure. A part that asks outside, as `exec` does a program of the user and
// `judge` a model, makes asks (program/graph/ask.h) and later reads the
// answers; in between an answer is a stored call like any other. So scoring
// takes the scores of these asks as an argument and stays pure itself:
//
//   metric_outside()     2 asks, of one part or of two
//   metric_ask(0), (1)   what, and whom
//   metric_answered()    one score each
//   metric_score()       all of it, from 0 to 1

#ifndef PROGRAM_METRIC_METRIC_H
#define PROGRAM_METRIC_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/call.h"
#include "common/err.h"
#include "program/graph/ask.h"
#include "program/graph/program.h"
#include "program/metric/score.h"
#include "program/source/node.h"

enum { METRIC_TRIES = 3 };        // of an ask whose answer cannot be read
enum { METRIC_MAX_OUTSIDE = 16 }; // asks of one metric about an answer

struct metric;

// Reads the job file's `metric` value. Everything lives in arena. NULL with
// findings.
struct metric *metric_parse(struct arena *arena, const struct node *node,
                            const struct program *program, struct diags *diags);

// Finds what is wrong with that value where there is no program to read it
// with: kinds, keys and parameters, but not the names of outputs.
void metric_check(struct arena *arena, const struct node *node,
                  struct diags *diags);
void metric_release(struct metric *metric); // what the arena does not own

// reads has one bool for each output of the program; true where it is read.
void metric_reads(const struct metric *metric, bool *reads);

// The label fields that an example must have (NULL-terminated in out, at most
// max names): missing ones are bad rows.
size_t metric_labels(const struct metric *metric, const char **out, size_t max);

// The outputs that are compared with a label, in the order of the file; at most
// max.
struct metric_label {
    size_t output; // of the program
    const char *label;
};
size_t metric_labelled(const struct metric *metric, struct metric_label *out,
                       size_t max);

// How many asks are made of one answer, numbered from 0 in the order of the
// file. The replicates of a judge ask the same, and count one each.
size_t metric_outside(const struct metric *metric);

// Whether some of them ask a model: then the job needs that of its judge.
bool metric_asks_model(const struct metric *metric);

// Which replicate that ask is, from 0, and of how many.
void metric_replicate(const struct metric *metric, size_t part, int32_t *which,
                      int32_t *of);

// What comes before the payload of an ask of a model, the same for all
// examples, and the format of its answer.
bool metric_prefix(const struct metric *metric, size_t part, struct buf *text,
                   struct buf *format, struct err *err);

// What that ask is about one example; the payload is written to text, which
// outlives out.
bool metric_ask(const struct metric *metric, size_t part, const json_t *example,
                const json_t *outputs, struct buf *text, struct ask *out,
                struct err *err);

// The score that the answer to that ask means. ERR_INPUT: it cannot be read,
// and the same may be asked again.
bool metric_answered(const struct metric *metric, size_t part,
                     const struct call_answer *answer, struct score *out,
                     struct err *err);

// The user's programs that parts ask, in the order of the parts; at most
// METRIC_MAX_OUTSIDE. Borrowed.
size_t metric_commands(const struct metric *metric,
                       const struct user_command *out[METRIC_MAX_OUTSIDE]);

// outside: one score for each ask, in order.
bool metric_score(const struct metric *metric, const json_t *example,
                  const json_t *outputs, const struct score *outside,
                  struct score *out, struct err *err);

// As the job file writes it, canonical (new reference).
json_t *metric_json(const struct metric *metric);

#endif
