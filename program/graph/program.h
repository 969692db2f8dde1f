// program: the steps of a pipeline and how values flow between them.
//
// A program is pure data, made once and then shared read-only by all threads.
// Steps stand in the order of the file; `order` is an order in which each
// step's sources come before it. A predictor is a step that asks a model;
// predictors are counted in file order too, and candidates have one part each.
//
// A step's kind is a row (kind.h): one file each in kinds/. Every field in a
// program, those that a step reads included, owns all its parts.

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
// WORDS       one that holds rare words of the query (BM25)
// EMBEDDINGS  one whose embedding is near that of the query: a model is asked
enum search_by { SEARCH_BY_WORDS, SEARCH_BY_EMBEDDINGS };
extern const char *const search_by_names[]; // NULL-terminated

// Of a step that counts votes (kinds/vote.c).
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

// What goes into a step and what comes out. Of a kind that reasons outputs[0]
// is `reasoning`, added by us; one that is read as a whole has no outputs.
struct signature {
    const char *instruction; // of a predictor
    struct field *inputs;    // as the step names them
    size_t n_inputs;
    struct field *outputs;
    size_t n_outputs;
};

// What has to hold for a step to run: a value equals one of these.
struct condition {
    struct source source;
    json_t *values; // a list; owned
};

struct step {
    const char *name;
    const struct step_kind *kind;
    struct place place;
    struct signature signature;
    struct source *sources; // one an input of the signature
    struct condition *when; // all of them hold, or the step does not run
    size_t n_when;
    bool may_be_left_out; // by its own conditions, or by those of a source
    int predictor;        // index among the predictors, or -1
    const struct user_command *command; // of a kind that has one
    struct search_spec *search;         // the same
    struct vote_spec *vote;             // the same
};

struct program_output {
    const char *name;
    const char *from; // the key, or path, that rows have its label under;
                      // NULL: that of the field, else its name
    struct source source;
    struct place place;
};

struct program {
    struct arena arena; // owns all below
    struct field *inputs;
    size_t n_inputs;
    struct step *steps;
    size_t n_steps;
    int *order;      // n_steps
    int *predictors; // step indices, n_predictors
    size_t n_predictors;
    struct program_output *outputs;
    size_t n_outputs;
    enum search_by pools_by; // how demos of a pool are picked (candidate.h);
                             // set by whoever reads the job or compiled file
};

// Reads the keys inputs, steps, outputs of a job file's root. NULL with
// findings (all of them). The program is independent of root's arena.
struct program *program_parse(const struct node *root, struct diags *diags);

// A program of one step, for prompts of our own (proposer, demo filling).
// Everything is copied; kind is a predictor's. NULL without memory.
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

void program_free(struct program *program); // NULL is fine

// {"inputs", "steps", "outputs"} as a job file has them, defaults resolved:
// program_parse reads it back. New reference.
json_t *program_json(const struct program *program);

// Reads such an object back. what is named in messages. NULL: ERR_INPUT says
// what is wrong with it.
struct program *program_of_json(const json_t *json, const char *what,
                                struct err *err);

// {NAME: TYPE} of what it returns, as a job file has them. A new reference;
// NULL without memory. What it takes grows the program's arena.
json_t *program_outputs_json(struct program *program, struct err *err);

int program_find_step(const struct program *program, const char *name); // -1

// All that has to come before a step: the sources of its inputs, then those of
// its conditions.
size_t step_n_sources(const struct step *step);
const struct source *step_source(const struct step *step, size_t i);

// What a source holds, as a field called name that owns all its parts.
bool step_source_field(struct program *program, const struct source *source,
                       const char *name, struct field *out, struct err *err);

// Whether a value of a condition's source lets the step run. NULL is null,
// which equals only null.
bool condition_holds(const struct condition *condition, const json_t *value);

const struct step *program_predictor(const struct program *program, size_t i);

// The name that DSPy gives a predictor: "classify", "respond.predict".
void predictor_dspy_name(const struct step *step, struct buf *out);

// The known value of a step's output in an example: a program output that is
// this field, else the key "step.field". Borrowed; NULL when unknown.
const json_t *program_label(const struct program *program,
                            const json_t *example, int step, int field);

// Whether key of that step may be tuned: its kind says so.
bool program_may_tune(const struct program *program, int step, const char *key);

// The value that a candidate gives to key of the step, of its values
// (candidate.h); NULL: none. Borrowed.
const json_t *step_value(const struct step *step, const json_t *values,
                         const char *key);

// Whether value is one for what is tuned as STEP.KEY. ERR_INPUT: it is not, or
// there is nothing of that name.
bool program_may_be(const struct program *program, const char *name,
                    const json_t *value, struct err *err);

// The values of the step's inputs as texts, one a line: what it searches for.
void step_query(const struct step *step, const json_t *inputs, struct buf *out);

// Checks inputs for a run: fills defaults, refuses missing and wrong ones.
// New reference to an object with exactly the program's inputs, in order.
json_t *program_inputs(const struct program *program, const json_t *values,
                       struct err *err);

#endif
