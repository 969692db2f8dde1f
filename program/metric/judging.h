// judging: what a metric asks a model about an answer, and how the reply is
// read.
//
// A judge is shown what the metric names: outputs of the program, its inputs,
// and anything else an example has. It answers in JSON under a schema, because
// we want a number and not an essay. Its question is a program of one step, so
// that the usual code writes its prompt and reads its reply.
//
// A plain name is an output of the program, else one of its inputs, else a key
// of the examples. `example.NAME` is always the example's, so that an answer
// can be shown next to what the example has under the same name:
//
//   inputs: [response, user_message, example.response]
//   inputs: {answer: response, reference: example.response}

#ifndef PROGRAM_METRIC_JUDGING_H
#define PROGRAM_METRIC_JUDGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/call.h"
#include "common/err.h"
#include "program/graph/program.h"
#include "program/metric/kind.h"

// One value that the judge is shown.
struct shown {
    const char *name; // as the judge sees it
    const char *from; // as the job file writes it
    const char *key;  // of the example; NULL: it is an output
    size_t output;    // index among the program's outputs
    const char *desc;
};

struct judging {
    struct shown *shown;
    size_t n_shown;
    struct program *program; // of one step; owned; NULL: only checked
    uint64_t reads;          // bit i: a reply needs output i to give a score
};

enum { JUDGING_MAX_REPLICATES = 5 };

// Reads what is shown, a list or a map. Outputs among it become the metric's
// fields, and the keys that examples must have become its needs. Returns false
// with findings.
bool judging_read(struct metric_reader *reader, const struct node *node,
                  struct metric *metric, struct judging *judging);

// Adds one source, under the given name if it is not NULL.
bool judging_add(struct metric_reader *reader, const struct node *node,
                 const char *name, struct metric *metric,
                 struct judging *judging);

// Builds the question, once everything is read. Bit i of reads is set if the
// score needs output i. A reply that lacks any other output still counts: the
// explanation of what is wrong is helpful, but it is not the score. Returns
// false when out of memory, with a finding.
bool judging_make(struct metric_reader *reader, const char *instruction,
                  const struct field *outputs, size_t n_outputs, uint64_t reads,
                  struct judging *judging);
void judging_release(struct judging *judging);

// Returns the value of one thing shown. Borrowed; NULL if there is none.
const json_t *judging_value(const struct shown *shown,
                            const struct metric_case *given);

// Writes the part of the prompt that is the same for all examples, and the
// format.
bool judging_prefix(const struct judging *judging, struct buf *text,
                    struct buf *format, struct err *err);

// Asks about one answer.
bool judging_ask(const struct judging *judging, const struct metric_case *given,
                 struct buf *text, struct ask *out, struct err *err);

// Reads a reply into its values by name (new reference), null for those that
// the score does not need. ERR_INPUT: the reply does not answer the question.
bool judging_read_answer(const struct judging *judging,
                         const struct call_answer *answer, json_t **values,
                         struct err *err);

// Returns what is shown, as the job file may write it (new reference).
json_t *judging_json(const struct judging *judging);

// Reads `replicates` (1 if absent) and adds them to the metric's asks.
bool judging_replicates(struct metric_reader *reader, const struct node *node,
                        struct metric *metric);

// Computes the mean of the replicates' scores and its variance. The feedback is
// that of the first replicate that is not perfect.
bool judging_score(const struct metric *metric, const struct metric_case *given,
                   struct score *out, struct err *err);

#endif
