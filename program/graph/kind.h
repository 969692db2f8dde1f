// kind: what a kind of step is, all of it: for the rows in kinds/ and for those
// who ask a row.
//
// A kind is one file in kinds/ that ends in its row, step_<name>, and a line in
// kinds/kinds.def. Nobody else compares kinds. A row says
//
//   how it stands in the job file     keys, declare, resolve, json
//   what others may read of it        whole, or the outputs of its signature
//   how it gets its values            predictor, compute, or ask and answered
//   what a compiled file says of it   dspy, dspy_remark
//
// What all kinds share is in struct step and needs no hook: every step reads
// signature.inputs[i] from sources[i], so that walks over the graph, the types
// of inputs, the values at hand and null (a source without a value is null; a
// failed step whose value is not needed gives null) are the same for all.
//
// So is `when`: its sources come before the step as those of its inputs do, and
// whether it runs is decided by whoever runs steps (step_holds).
//
// Three ways to a value, one a row:
//
//   predictor       a model is asked, in the words of program/prompt; the step
//                   has a part in every candidate: instruction and demos
//   compute         from the inputs alone, at once
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
    // Behind the step's name, first as it is written today, then as older
    // versions did; NULL-terminated.
    const char *const *suffixes;
    const char *alone;       // where the predictor is a whole program
    const char *instruction; // of an old file, "signature_instructions" apart
};

struct step_kind {
    const char *key; // in the job file, whose value says what the step does

    // Keys that may stand beside it, NULL-terminated; `when` always may.
    const char *const *keys;
    // Reads what others may refer to. False with findings.
    bool (*declare)(struct scope *scope, struct step *step,
                    const struct node *node);
    // Reads sources, all steps being declared. False with findings.
    bool (*resolve)(struct scope *scope, struct step *step,
                    const struct node *node);
    // As the job file has it; what they read, it reads back (new reference).
    json_t *(*json)(const struct program *program, const struct step *step);

    // Keys whose values may be tuned, NULL-terminated; NULL: none. may_be
    // says whether value is one for that key: ERR_INPUT says what is expected.
    const char *const *tunables;
    bool (*may_be)(const struct program *program, const struct step *step,
                   const char *key, const json_t *value, struct err *err);

    // Read as one value, by its bare name; else by STEP.FIELD, field by field.
    bool whole;
    // Of a whole one: the type of its value, as a field called name.
    bool (*field)(struct program *program, const struct step *step,
                  const char *name, struct field *out, struct err *err);

    bool takes_null; // it runs though a source has no value (compose)
    bool predictor;
    bool reasons; // a predictor with the output `reasoning` before its others
    // The step's outputs (the value itself of a whole one) from its inputs by
    // name. New reference; NULL without memory.
    json_t *(*compute)(const struct step *step, json_t *inputs);
    // Whether it needs that input when nothing but these of its outputs is read
    // (bit f: output f). NULL: it needs all of them, always.
    bool (*needs)(const struct step *step, uint64_t reads, size_t input);
    // Whether it can run without the inputs that are lost, since the steps that
    // they come from failed: they are null then. NULL: not without any.
    bool (*survives)(const struct step *step, const bool *lost);
    // Fills who and with what to ask; values are those that a candidate gives
    // to what may be tuned (step_value reads them); the payload is written to
    // text. err has ERR_LIMIT when it is too long, which is a fact about the
    // example.
    bool (*ask)(const struct step *step, const json_t *values,
                const json_t *inputs, struct buf *text, struct ask *out,
                struct err *err);
    // Reads outputs from an answer. ERR_INPUT: they are not in it.
    bool (*answered)(const struct step *step, const struct call_answer *answer,
                     json_t **outputs, struct err *err);

    struct dspy_names dspy;  // of a predictor
    const char *dspy_remark; // what DSPy's load leaves to the program; or NULL
};

#define STEP_KIND(name) extern const struct step_kind step_##name;
#include "program/graph/kinds/kinds.def"
#undef STEP_KIND

// --- for the rows ---

// A map of 1 to max things under key, or a finding.
bool step_check_map(struct scope *scope, const struct step *step,
                    const struct node *map, const char *key, size_t max);

// Room for n inputs of the step. False without memory, with the finding.
bool step_make_inputs(struct scope *scope, struct step *step, size_t n);

// The next input, called name, read from what node says. False with findings.
bool step_add_input(struct scope *scope, struct step *step, const char *name,
                    const struct node *node);

// {NAME: SOURCE, ...} of the step's inputs (new reference).
json_t *step_inputs_json(const struct program *program,
                         const struct step *step);

// The field `reasoning`, which a kind that reasons has before its outputs.
struct field step_reasoning(void);

// "no memory" as a finding; always false.
bool step_nomem(struct scope *scope);

// The keys `outputs`, a map of typed fields, and `inputs`, a map or a list of
// sources, for the kinds that have them.
bool step_declare_outputs(struct scope *scope, struct step *step,
                          const struct node *node);
bool step_resolve_inputs(struct scope *scope, struct step *step,
                         const struct node *node);

// {NAME: TYPE, ...} of the step's outputs, but for `reasoning` (new reference).
json_t *step_outputs_json(const struct step *step);

// Predictors differ in little: these are declare and json for a kind whose key
// is an instruction.
bool predictor_declare(struct scope *scope, struct step *step,
                       const struct node *node);
json_t *predictor_step_json(const struct program *program,
                            const struct step *step);
extern const char *const predictor_keys[];

#endif
