// kind: what a kind of metric is made of; for program/metric/metric.c and its
// rows.
//
// A kind is a row: how its value in the job file is read, how an answer is
// scored, how it is written back. What all kinds have in common - the outputs
// that they read, the parts of a weighted one, the command of an exec one -
// stands in struct metric, so that questions about a metric are answered by
// one walk in metric.c and no row repeats them. What rows use is in kind.c.
//
// To add a kind: a file in kinds/ that ends in its row, metric_<name>, and a
// line in kinds/kinds.def.

#ifndef PROGRAM_METRIC_KIND_H
#define PROGRAM_METRIC_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "program/graph/program.h"
#include "program/metric/metric.h"
#include "program/metric/score.h"
#include "program/source/node.h"

struct metric_kind;

// An output that a metric reads.
struct metric_field {
    size_t output;     // index among the program's outputs
    const char *name;  // of that output
    const char *label; // field of an example with the right answer, or NULL
};

// Everything but what `release` frees lives in the arena of metric_parse.
struct metric {
    const struct metric_kind *kind;
    size_t n_outputs;            // of the program
    struct metric_field *fields; // none: an exec metric that reads all
    size_t n_fields;
    struct metric **parts; // of a weighted one
    size_t n_parts;
    struct user_command *command; // of an exec one, or NULL
    size_t outside;     // the number of its first ask among those of all parts
    size_t n_asks;      // 0: it asks nobody; a judge asks once a replicate
    const char **needs; // fields that an example must have, labels apart
    size_t n_needs;
    void *params; // the kind's own
};

// What travels down while a metric is read.
struct metric_reader {
    const struct metric_kind *const *kinds; // that there are
    size_t n_kinds;
    struct arena *arena;
    const struct program *program; // NULL: only checked (metric_check)
    struct diags *diags;
    size_t n_outside; // asks of parts so far
    int depth;        // weighted inside weighted
};

// What is scored. All borrowed.
struct metric_case {
    const json_t *example;
    const json_t *outputs;
    const struct score *outside; // one an ask
};

// Bits of enum type_kind, for `fits`. 0 fits every output.
#define FITS(type) (1u << (type))

struct metric_kind {
    const char *name;
    unsigned fits;         // types of output that it can compare
    const char *fits_text; // "numbers", for the finding
    // Reads the value of the metric's key. False with findings.
    bool (*parse)(struct metric_reader *reader, const struct node *node,
                  struct metric *metric);
    // Fills out, which is empty.
    bool (*score)(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err);
    // A kind that asks outside: what it asks about given (outside is NULL
    // then), the payload being written to text, and how it reads the answer
    // (ERR_INPUT: this is none, another may be). NULL for all others.
    bool (*ask)(const struct metric *metric, const struct metric_case *given,
                struct buf *text, struct ask *out, struct err *err);
    bool (*answered)(const struct metric *metric,
                     const struct call_answer *answer, struct score *out,
                     struct err *err);
    // Of one that asks a model: what comes before the payload of every ask,
    // and the format of the answer.
    bool (*ask_prefix)(const struct metric *metric, struct buf *text,
                       struct buf *format, struct err *err);
    // Writes the value of the metric's key (new reference).
    json_t *(*json)(const struct metric *metric);
    void (*release)(struct metric *metric); // or NULL
};

#define METRIC_KIND(name) extern const struct metric_kind metric_##name;
#include "program/metric/kinds/kinds.def"
#undef METRIC_KIND

// Reads {KIND: ...}, and {weight: W, KIND: ...} inside a weighted metric,
// whose weight the caller reads. NULL with findings.
struct metric *metric_read(struct metric_reader *reader,
                           const struct node *node);

// FIELD, or a list of them: each an output whose right answer stands in the
// example under the same name. Only the names when labelled is false.
bool metric_read_fields(struct metric_reader *reader, const struct node *node,
                        bool labelled, struct metric *metric);

// FIELD, or {field: FIELD, label: NAME, ...}: one output. `keys` are all the
// keys that the map may have; the kind reads its own with node_find.
bool metric_read_field(struct metric_reader *reader, const struct node *node,
                       const char *const *keys, size_t n_keys,
                       struct metric *metric);

// Writes what metric_read_fields and metric_read_field read: a text or a list
// while nothing else is to be said, else a map (new reference, NULL without
// memory). full asks for the map.
json_t *metric_fields_json(const struct metric *metric, bool full);

// The names of its fields. New reference; NULL without memory.
json_t *metric_field_names(const struct metric *metric);

// Scores one part of a metric by its kind, as metric_score does for all of it.
// If the score is below 1 and the kind gives no feedback, the feedback says
// what came and what the example has instead, field by field. It stays NULL
// where the example has no such field.
bool metric_part_score(const struct metric *metric,
                       const struct metric_case *given, struct score *out,
                       struct err *err);

// Gives the metric its n asks; false, with a finding, when there are too many.
bool metric_take_asks(struct metric_reader *reader, struct metric *metric,
                      size_t n, const struct place *place);

// "no memory" as a finding; always false.
bool metric_nomem(struct metric_reader *reader);

// The answer and its label, NULL where there is none. Borrowed.
const json_t *case_answer(const struct metric_case *given,
                          const struct metric_field *field);
const json_t *case_label(const struct metric_case *given,
                         const struct metric_field *field);

// Appends "`intent` is A, but B is right." to a buffer of feedback, values cut
// to a line's length. call feedback_next before a sentence of your own.
void feedback_next(struct buf *feedback);
void feedback_wrong(struct buf *feedback, const struct metric_field *field,
                    const json_t *answer, const json_t *label);
void feedback_value(struct buf *feedback, const json_t *value);

#endif
