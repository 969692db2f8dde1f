// kind: everything that makes up a kind of step, for the rows in kinds/ and for
// the code that asks a row.
//
// A kind is one file in kinds/, which ends with its row, step_<name>, and a
// line in kinds/kinds.def. No other code compares kinds. A row says
//
//   how it is written in the job file    keys, declare, resolve, json
//   what other steps may read of it      whole, or its signature's outputs
//   how it gets its values               predictor, compute, or ask + answered
//   what a compiled file says about it   dspy, dspy_remark
//
// What all kinds share is in struct step and needs no hook. Every step reads
// signature.inputs[i] from sources[i], so graph walks, the types of inputs, the
// values at hand and the handling of null are the same for all kinds. (A source
// without a value is null, and so is a failed step whose value is not needed.)
//
// The same goes for `when`: its sources come before the step, just as those of
// its inputs do, and the code that runs the steps decides whether this one runs
// (step_holds).
//
// Each row gets its values in one of three ways:
//
//   predictor       a model is asked, in the words of program/prompt; the step
//                   has a part in every candidate: instruction and demos
//   compute         from the inputs alone, immediately
//   ask, answered   something else outside is asked (program/graph/ask.h)

#ifndef PROGRAM_GRAPH_KIND_H
#define PROGRAM_GRAPH_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/call.h"
#include "common/err.h"
#include "program/graph/ask.h"
#include "program/graph/program.h"
#include "program/graph/scope.h"
#include "program/source/node.h"

// How DSPy names a predictor of this kind in a state file.
struct dspy_names {
    // What follows the step's name: first the form that DSPy writes today, then
    // those of older versions. NULL-terminated.
    const char *const *suffixes;
    const char *alone;       // when the predictor is the whole program
    const char *instruction; // in old files, besides "signature_instructions"
};

struct step_kind {
    const char *key; // in the job file; its value says what the step does

    // Other keys that the step may have, NULL-terminated; `when` is always
    // allowed.
    const char *const *keys;
    // Reads what others may refer to. Returns false with findings.
    bool (*declare)(struct scope *scope, struct step *step,
                    const struct node *node);
    // Reads the sources, after all steps are declared. Returns false with
    // findings.
    bool (*resolve)(struct scope *scope, struct step *step,
                    const struct node *node);
    // Returns the step as it is written in the job file; `declare` and
    // `resolve` can read it back. New reference.
    json_t *(*json)(const struct program *program, const struct step *step);

    // Keys whose values may be tuned, NULL-terminated; NULL when there are
    // none. may_be checks that a value is allowed for a key; ERR_INPUT says
    // what is expected.
    const char *const *tunables;
    bool (*may_be)(const struct program *program, const struct step *step,
                   const char *key, const json_t *value, struct err *err);

    // True if the step is read as one value, by its bare name; otherwise field
    // by field, as STEP.FIELD.
    bool whole;
    // For a whole step: gives the type of its value, as a field named `name`.
    bool (*field)(struct program *program, const struct step *step,
                  const char *name, struct field *out, struct err *err);

    bool takes_null; // runs even if a source has no value (compose)
    bool predictor;
    bool reasons; // a predictor whose first output is `reasoning`
    // Computes the step's outputs (for a whole step, the value itself) from its
    // inputs by name. New reference; NULL when out of memory.
    json_t *(*compute)(const struct step *step, json_t *inputs);
    // Returns true if the step needs that input when only these of its outputs
    // are read (bit f: output f). NULL: it always needs all of them.
    bool (*needs)(const struct step *step, uint64_t reads, size_t input);
    // Returns true if the step can run without the lost inputs, which are null
    // because the steps they come from failed. NULL: it needs every input.
    bool (*survives)(const struct step *step, const bool *lost);
    // Fills in whom to ask and what. `values` are those that a candidate gives
    // to tunables (step_value reads them). The payload is written to `text`.
    // ERR_LIMIT means that it is too long, which is a property of the example.
    bool (*ask)(const struct step *step, const json_t *values,
                const json_t *inputs, struct buf *text, struct ask *out,
                struct err *err);
    // Reads the outputs from an answer. ERR_INPUT: the answer does not contain
    // them.
    bool (*answered)(const struct step *step, const struct call_answer *answer,
                     json_t **outputs, struct err *err);

    struct dspy_names dspy;  // for a predictor
    const char *dspy_remark; // what DSPy's load leaves to the program; or NULL
};

#define STEP_KIND(name) extern const struct step_kind step_##name;
#include "program/graph/kinds/kinds.def"
#undef STEP_KIND

// --- for the rows ---

// Checks that `map`, the value of `key`, is a map with 1 to max members; adds a
// finding if it is not.
bool step_check_map(struct scope *scope, const struct step *step,
                    const struct node *map, const char *key, size_t max);

// Makes room for n inputs of the step. Returns false with a finding when out of
// memory.
bool step_make_inputs(struct scope *scope, struct step *step, size_t n);

// Adds the next input, named `name`, whose source is read from node. Returns
// false with findings.
bool step_add_input(struct scope *scope, struct step *step, const char *name,
                    const struct node *node);

// Returns {NAME: SOURCE, ...} of the step's inputs. New reference.
json_t *step_inputs_json(const struct program *program,
                         const struct step *step);

// Returns the field `reasoning`, which kinds that reason have before their
// other outputs.
struct field step_reasoning(void);

// Adds "no memory" as a finding; always returns false.
bool step_nomem(struct scope *scope);

// Read the keys `outputs`, a map of typed fields, and `inputs`, a map or a list
// of sources, for the kinds that have them.
bool step_declare_outputs(struct scope *scope, struct step *step,
                          const struct node *node);
bool step_resolve_inputs(struct scope *scope, struct step *step,
                         const struct node *node);

// Returns {NAME: TYPE, ...} of the step's outputs without `reasoning`. New
// reference.
json_t *step_outputs_json(const struct step *step);

// Predictors differ in little. These are `declare` and `json` for a kind whose
// key is an instruction.
bool predictor_declare(struct scope *scope, struct step *step,
                       const struct node *node);
json_t *predictor_step_json(const struct program *program,
                            const struct step *step);
extern const char *const predictor_keys[];

#endif
