// metric: scores an answer, from 0 to 1.
//
// Metrics are rows of a table (metric.c), one file each in kinds/. Most are
// pure. A part that needs someone outside, as `exec` needs a program of the
// user and `judge` a model, makes asks (program/graph/ask.h) and reads the
// answers later; in between, such an answer is a stored call like any other. So
// scoring takes the scores of these asks as an argument and stays pure itself:
//
//   metric_ask_count()    2 asks, of one part or of two
//   metric_ask(0), (1)    what to ask, and whom
//   metric_read_answer()  one score for each
//   metric_score()        the whole metric, from 0 to 1

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
enum { METRIC_MAX_OUTSIDE = 16 }; // asks of a metric per answer

struct metric;

// Reads the job file's `metric` value. Everything is allocated in arena.
// Returns NULL with findings.
struct metric *metric_parse(struct arena *arena, const struct node *node,
                            const struct program *program, struct diags *diags);

// Checks that value when there is no program to read it with: kinds, keys and
// parameters, but not the names of outputs.
void metric_check(struct arena *arena, const struct node *node,
                  struct diags *diags);
void metric_release(struct metric *metric); // frees what is not in the arena

// Sets one bool for each output of the program: true if the metric reads it.
void metric_reads(const struct metric *metric, bool *reads);

// Lists the label fields that an example must have; an example without one is a
// bad row. `out` is NULL-terminated and has at most max entries, the NULL
// included.
size_t metric_labels(const struct metric *metric, const char **out, size_t max);

// Lists the outputs that are compared with a label, in the order of the file,
// at most max of them.
struct metric_label {
    size_t output; // index among the program's outputs
    const char *label;
};
size_t metric_labelled(const struct metric *metric, struct metric_label *out,
                       size_t max);

// Returns how many asks one answer needs. They are numbered from 0 in the order
// of the file. The replicates of a judge ask the same thing, but count as one
// each.
size_t metric_ask_count(const struct metric *metric);

// Returns true if any of them asks a model; then the job needs a judge model.
bool metric_asks_model(const struct metric *metric);

// Stores which replicate that ask is, from 0, and of how many.
void metric_replicate(const struct metric *metric, size_t part, int32_t *which,
                      int32_t *of);

// Writes what comes before the payload when that ask goes to a model, which is
// the same for all examples, and the format of the answer.
bool metric_prefix(const struct metric *metric, size_t part, struct buf *text,
                   struct buf *format, struct err *err);

// What is scored. All pointers are borrowed.
struct metric_case {
    const json_t *example;       // all fields of the row
    const json_t *outputs;       // of the program
    const struct score *outside; // one for each ask, in order; NULL while
                                 // asking
};

// Makes the ask about a case. The payload is written to text, which must
// outlive out.
bool metric_ask(const struct metric *metric, size_t part,
                const struct metric_case *given, struct buf *text,
                struct ask *out, struct err *err);

// Reads the answer to that ask as a score. ERR_INPUT means that it cannot be
// read and the same question may be asked again.
bool metric_read_answer(const struct metric *metric, size_t part,
                        const struct call_answer *answer, struct score *out,
                        struct err *err);

// Lists the user's programs that the parts run, in the order of the parts, at
// most METRIC_MAX_OUTSIDE. Borrowed.
size_t metric_commands(const struct metric *metric,
                       const struct user_command *out[METRIC_MAX_OUTSIDE]);

// Scores a case.
bool metric_score(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err);

// Returns the metric as the job file writes it, canonical (new reference).
json_t *metric_json(const struct metric *metric);

#endif
