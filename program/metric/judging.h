// judging: what a metric asks a model about an answer, and how it reads the
// reply.
//
// A judge is shown what the metric names: outputs of the program, its inputs,
// and whatever else an example holds. It answers in JSON under a schema, for a
// number is wanted and no essay. Its question is a program of one step, so that
// prompts are written and replies are read by the same code as everybody's.
//
// Names. A plain name is an output of the program, else one of its inputs, else
// a key of the examples. `example.NAME` is always the example's, so that an
// answer can be shown beside the one that the example has under the same name:
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

// One thing that is shown.
struct shown {
    const char *name; // to the judge
    const char *from; // as the job file has it
    const char *key;  // of the example, or NULL: an output
    size_t output;    // index among the program's outputs
    const char *desc;
};

struct judging {
    struct shown *shown;
    size_t n_shown;
    struct program *program; // of one step; owned. NULL where only checked
    uint64_t reads;          // bit i: a reply without output i gives no score
};

enum { JUDGING_MAX_REPLICATES = 5 };

// Reads what is shown, a list or a map. Fields of the metric become the outputs
// among them, and the keys that examples must have are noted. False with
// findings.
bool judging_read(struct metric_reader *reader, const struct node *node,
                  struct metric *metric, struct judging *judging);

// Adds one source under a name of the metric's own.
bool judging_add(struct metric_reader *reader, const struct node *node,
                 const char *name, struct metric *metric,
                 struct judging *judging);

// Makes the question, once all is read. reads: bit i set when the score needs
// output i; a reply without one of the others counts all the same, for what is
// wrong with an answer is a help and not its score. False without memory, as a
// finding.
bool judging_make(struct metric_reader *reader, const char *instruction,
                  const struct field *outputs, size_t n_outputs, uint64_t reads,
                  struct judging *judging);
void judging_release(struct judging *judging);

// The value of one that is shown. Borrowed; NULL where there is none.
const json_t *judging_value(const struct shown *shown,
                            const struct metric_case *given);

// The part of the prompt that is the same for all examples, and the format.
bool judging_prefix(const struct judging *judging, struct buf *text,
                    struct buf *format, struct err *err);

// Asks about one answer.
bool judging_ask(const struct judging *judging, const struct metric_case *given,
                 struct buf *text, struct ask *out, struct err *err);

// The values in a reply, by name (new reference); null where the score needs
// none. ERR_INPUT: it is no answer to the question.
bool judging_answered(const struct judging *judging,
                      const struct call_answer *answer, json_t **values,
                      struct err *err);

// What is shown, as the job file may write it (new reference).
json_t *judging_json(const struct judging *judging);

// Reads `replicates`, 1 without it, and counts the asks of the metric.
bool judging_replicates(struct metric_reader *reader, const struct node *node,
                        struct metric *metric);

// The mean of the replicates' scores, and how far it can be trusted; the
// feedback of the first one that is not perfect.
bool judging_score(const struct metric *metric, const struct metric_case *given,
                   struct score *out, struct err *err);

#endif
