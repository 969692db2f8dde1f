// kind: what a kind of metric is made of; for metric.c and the rows.
//
// A kind is a row: how its value in the job file is read, how an answer is
// scored, how it is written back. What kinds have in common (the outputs that
// they read, the parts of a weighted metric, the command of an exec metric) is
// in struct metric, so that one walk in metric.c answers questions about a
// metric and no row repeats them. Helpers for rows are in kind.c.
//
// To add a kind, write a file in kinds/ that ends in its row, metric_<name>,
// and add a line to kinds/kinds.def.

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
    const char *label; // field of an example with the right answer; or NULL
};

// Everything except what `release` frees is in the arena of metric_parse.
struct metric {
    const struct metric_kind *kind;
    size_t n_outputs;            // of the program
    struct metric_field *fields; // none: an exec metric that reads all outputs
    size_t n_fields;
    struct metric **parts; // of a weighted metric
    size_t n_parts;
    struct user_command *command; // of an exec metric, or NULL
    size_t outside;     // number of its first ask among those of all parts
    size_t n_asks;      // 0: it asks nobody; a judge asks once per replicate
    const char **needs; // fields that an example must have, besides labels
    size_t n_needs;
    void *params; // the kind's own
};

// State that is passed down while a metric is read.
struct metric_reader {
    const struct metric_kind *const *kinds; // all that exist
    size_t n_kinds;
    struct arena *arena;
    const struct program *program; // NULL: only checked (metric_check)
    struct diags *diags;
    size_t n_outside; // asks of the parts read so far
    int depth;        // of weighted metrics inside each other
};

// Bits of enum type_kind, for `fits`; 0 fits every output.
#define FITS(type) (1u << (type))

struct metric_kind {
    const char *name;
    unsigned fits;         // types of output that it can compare
    const char *fits_text; // "compares numbers", for the finding
    // Reads the value of the metric's key. Returns false with findings.
    bool (*parse)(struct metric_reader *reader, const struct node *node,
                  struct metric *metric);
    // Fills in *out, which is empty except for its variance of -1.
    bool (*score)(const struct metric *metric, const struct metric_case *given,
                  struct score *out, struct err *err);
    // For kinds that ask outside, NULL for all others. `ask` writes the payload
    // about `given` (whose `outside` is NULL here) to text. `answered` reads
    // the answer; ERR_INPUT means that it is unreadable, but another try may
    // not be.
    bool (*ask)(const struct metric *metric, const struct metric_case *given,
                struct buf *text, struct ask *out, struct err *err);
    bool (*answered)(const struct metric *metric,
                     const struct call_answer *answer, struct score *out,
                     struct err *err);
    // For kinds that ask a model: writes what comes before the payload of every
    // ask, and the format of the answer.
    bool (*ask_prefix)(const struct metric *metric, struct buf *text,
                       struct buf *format, struct err *err);
    // Returns the value of the metric's key (new reference).
    json_t *(*json)(const struct metric *metric);
    void (*release)(struct metric *metric); // or NULL
};

#define METRIC_KIND(name) extern const struct metric_kind metric_##name;
#include "program/metric/kinds/kinds.def"
#undef METRIC_KIND

// Reads {KIND: ...}, and inside a weighted metric {weight: W, KIND: ...}, whose
// weight the caller reads. Returns NULL with findings.
struct metric *metric_read(struct metric_reader *reader,
                           const struct node *node);

// Reads FIELD, or a list of them. Each is an output, to which the example has
// the right answer under the same name.
bool metric_read_fields(struct metric_reader *reader, const struct node *node,
                        struct metric *metric);

// Like metric_read_fields, for outputs that need no right answer.
bool metric_read_outputs(struct metric_reader *reader, const struct node *node,
                         struct metric *metric);

// Reads FIELD, or {field: FIELD, label: NAME, ...}: one output. `keys` are all
// the keys that the map may have; the kind reads its own with node_find.
bool metric_read_field(struct metric_reader *reader, const struct node *node,
                       const char *const *keys, size_t n_keys,
                       struct metric *metric);

// Writes what metric_read_fields and metric_read_field read: a text or a list
// if that says everything, else a map (new reference, NULL when out of memory).
json_t *metric_fields_json(const struct metric *metric);

// Writes the one field of a metric as a map, for a kind that adds keys to it
// (new reference, NULL when out of memory).
json_t *metric_field_map(const struct metric *metric);

// Returns the names of the metric's fields (new reference). NULL when out of
// memory.
json_t *metric_field_names(const struct metric *metric);

// Scores one part of a metric by its kind, as metric_score does for the whole.
// If the score is below 1 and the kind gives no feedback, the feedback says
// field by field what the answer was and what the example has instead. It stays
// NULL if the example has no such field.
bool metric_part_score(const struct metric *metric,
                       const struct metric_case *given, struct score *out,
                       struct err *err);

// Gives the metric its n asks. Returns false with a finding if there are too
// many.
bool metric_take_asks(struct metric_reader *reader, struct metric *metric,
                      size_t n, const struct place *place);

// Records that memory ran out, as a finding. Always returns false.
bool metric_nomem(struct metric_reader *reader);

// Return the answer and its label, or NULL if there is none. Borrowed.
const json_t *case_answer(const struct metric_case *given,
                          const struct metric_field *field);
const json_t *case_label(const struct metric_case *given,
                         const struct metric_field *field);

// feedback_wrong appends "`intent` is A, but B is right." to the feedback, with
// values cut to the length of a line. Call feedback_next before adding your own
// sentence.
void feedback_next(struct buf *feedback);
void feedback_wrong(struct buf *feedback, const struct metric_field *field,
                    const json_t *answer, const json_t *label);
void feedback_value(struct buf *feedback, const json_t *value);

#endif
