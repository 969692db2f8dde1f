// program: the steps of a pipeline and how values flow between them.
//
// A program is pure data, built once and then shared read-only by all threads.
// Steps are in file order; `order` lists them so that each step comes after its
// sources. A predictor is a step that asks a model. Predictors are numbered in
// file order too, and candidates have one part for each.
//
// A step's kind is a row (kind.h), one file each in kinds/. Every field in a
// program, including those that a step reads, owns all its parts.

#ifndef PROGRAM_GRAPH_PROGRAM_H
#define PROGRAM_GRAPH_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/arena.h"
#include "program/graph/type.h"
#include "program/source/diag.h"
#include "program/source/node.h"

enum { PROGRAM_MAX_STEPS = 64, PROGRAM_MAX_FIELDS = 64 };

struct step_kind;    // kind.h
struct user_command; // user_command.h
struct search_spec;  // search_spec.h

// What makes a text near to a query, for passages and for pools of demos.
//
// WORDS       it contains rare words of the query (BM25)
// EMBEDDINGS  its embedding is near the query's; a model computes these
enum search_by { SEARCH_BY_WORDS, SEARCH_BY_EMBEDDINGS };
extern const char *const search_by_names[]; // NULL-terminated

// For a step that counts votes (kinds/vote.c).
enum { VOTERS_MAX = 32 };
struct vote_spec {
    size_t voters;
    size_t field; // the output that is counted
    bool chosen;  // another step may name the winner
};

// Where a value comes from.
enum { SOURCE_INPUT = -1, SOURCE_WHOLE = -1 };
struct source {
    int step;  // index, or SOURCE_INPUT
    int field; // index of an input or output; SOURCE_WHOLE: all of the step
};

// What goes into a step and what comes out. For a kind that reasons, outputs[0]
// is `reasoning`, which we add. A step that is read as a whole has no outputs.
struct signature {
    const char *instruction; // of a predictor
    struct field *inputs;    // under the names that the step gives them
    size_t n_inputs;
    struct field *outputs;
    size_t n_outputs;
};

// A condition for a step to run: the source's value must equal one of these.
struct condition {
    struct source source;
    json_t *values; // a list; owned
};

struct step {
    const char *name;
    const struct step_kind *kind;
    struct place place;
    struct signature signature;
    struct source *sources; // one per input of the signature
    struct condition *when; // the step runs only if all of them hold
    size_t n_when;
    bool may_be_left_out; // because of its own conditions or of a source's
    int predictor;        // index among the predictors, or -1
    const struct user_command *command; // for a kind that has one
    struct search_spec *search;         // likewise
    struct vote_spec *vote;             // likewise
};

struct program_output {
    const char *name;
    const char *from; // key or path of its label in the data; NULL: the
                      // field's, else its name
    struct source source;
    struct place place;
};

struct program {
    struct arena arena; // owns everything below
    struct field *inputs;
    size_t n_inputs;
    struct step *steps;
    size_t n_steps;
    int *order;      // n_steps
    int *predictors; // step indices, n_predictors
    size_t n_predictors;
    struct program_output *outputs;
    size_t n_outputs;
    enum search_by pools_by; // how pools pick demos (candidate.h); set by the
                             // code that reads the job or compiled file
};

// Reads the keys inputs, steps and outputs of a job file's root. Returns NULL
// and adds all findings. The program does not depend on root's arena.
struct program *program_parse(const struct node *root, struct diags *diags);

// Describes a program of one step, for our own prompts (proposer, demo
// filling). program_single copies everything; `kind` must be a predictor's.
// Returns NULL when out of memory.
struct single_step {
    const char *name;
    const struct step_kind *kind;
    const char *instruction;
    const struct field *inputs;
    size_t n_inputs;
    const struct field *outputs;
    size_t n_outputs;
};
struct program *program_single(const struct single_step *single,
                               struct err *err);

void program_free(struct program *program); // accepts NULL

// Returns {"inputs", "steps", "outputs"} as in a job file, with defaults filled
// in; program_parse can read it back. New reference.
json_t *program_json(const struct program *program);

// Reads such an object back. Messages call it `what`. Returns NULL if it is
// wrong; ERR_INPUT says why.
struct program *program_of_json(const json_t *json, const char *what,
                                struct err *err);

// Returns {NAME: TYPE} of the program's outputs, as in a job file. New
// reference; NULL when out of memory. Memory is taken from the program's arena.
json_t *program_outputs_json(struct program *program, struct err *err);

int program_find_step(const struct program *program, const char *name); // or -1

// The sources that must come before a step: those of its inputs, then those of
// its conditions.
size_t step_n_sources(const struct step *step);
const struct source *step_source(const struct step *step, size_t i);

// Returns the type of what a source holds, borrowed; NULL for a whole step,
// whose value may be anything.
const struct type *step_source_type(const struct program *program,
                                    const struct source *source);

// Gives what a source holds, as a field named `name` that owns all its parts.
bool step_source_field(struct program *program, const struct source *source,
                       const char *name, struct field *out, struct err *err);

// Returns true if this value of the condition's source lets the step run. NULL
// counts as null, which equals only null.
bool condition_holds(const struct condition *condition, const json_t *value);

const struct step *program_predictor(const struct program *program, size_t i);

// Appends the name that DSPy gives a predictor: "classify", "respond.predict".
void predictor_dspy_name(const struct step *step, struct buf *out);

// Returns the known value of a step's output in an example: that of the program
// output that reads this field, or else the value of the key "step.field".
// Borrowed; NULL when unknown.
const json_t *program_label(const struct program *program,
                            const json_t *example, int step, int field);

// Returns true if that key of the step may be tuned, which its kind decides.
bool program_may_tune(const struct program *program, int step, const char *key);

// Returns the value that a candidate gives to a key of the step. `values` are
// the candidate's (candidate.h). Borrowed; NULL when it gives none.
const json_t *step_value(const struct step *step, const json_t *values,
                         const char *key);

// Checks that the tunable STEP.KEY may have this value. ERR_INPUT: it may not,
// or there is no such tunable.
bool program_check_tunable(const struct program *program, const char *name,
                           const json_t *value, struct err *err);

// Appends the values of the step's inputs as texts, one per line; this is what
// the step searches for.
void step_query(const struct step *step, const json_t *inputs, struct buf *out);

// Checks inputs for a run: fills in defaults, rejects missing and wrong values.
// Returns a new reference to an object with exactly the program's inputs, in
// order.
json_t *program_inputs(const struct program *program, const json_t *values,
                       struct err *err);

#endif
