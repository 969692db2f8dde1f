// metric: how good an answer is, from 0 to 1.
//
// Metrics are rows of a table (metric.c), one file each in program/metrics/.
// Most are pure. An exec metric is answered by a program of the user: its
// request is a line of JSON, its answer another, and like every answer from
// outside it is a stored call; so scoring takes the outside answers as an
// argument and stays pure itself.

#ifndef PROGRAM_METRIC_METRIC_H
#define PROGRAM_METRIC_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "program/graph/program.h"
#include "program/source/node.h"

enum { METRIC_MAX_OUTSIDE = 16 }; // exec parts of one metric

struct metric;

struct score {
    double value;   // 0..1
    char *feedback; // owned, or NULL
};
void score_release(struct score *score);

// The command of an exec metric.
struct metric_command {
    const char *const *argv; // NULL-terminated
    int64_t timeout_ms;      // for one answer
};

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

// True when every score is 0 or 1.
bool metric_binary(const struct metric *metric);

// The exec parts, and the request line for them (the same for all).
size_t metric_outside(const struct metric *metric,
                      struct metric_command out[METRIC_MAX_OUTSIDE]);
bool metric_request(const json_t *example, const json_t *outputs,
                    struct buf *out, struct err *err);

// Reads an outside answer {"score": 0..1, "feedback": text?} or a bare number.
// ERR_PROTOCOL when it is neither.
bool metric_answer(const char *text, size_t len, struct score *out,
                   struct err *err);

// outside: one score for each exec part, in order.
bool metric_score(const struct metric *metric, const json_t *example,
                  const json_t *outputs, const struct score *outside,
                  struct score *out, struct err *err);

// As the job file writes it, canonical (new reference).
json_t *metric_json(const struct metric *metric);

#endif
