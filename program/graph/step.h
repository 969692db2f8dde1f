// step: reads the steps of a job file, whatever their kind (kind.h).
//
// Reading has three phases, because steps may refer to each other in any order:
//
//   declare   name, kind and outputs: what others may refer to
//   resolve   the sources of its inputs, after all steps are declared
//   settle    the types of its inputs, after the steps before it are settled
//
// Private to this folder; everyone else uses program.h.

#ifndef PROGRAM_GRAPH_STEP_H
#define PROGRAM_GRAPH_STEP_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/program.h"
#include "program/graph/scope.h"
#include "program/source/node.h"

// Reads the kind and outputs of step `at` from node; the step's name and place
// must already be set. Returns false with findings. If the kind or the outputs
// stay unknown, the step is marked as broken and skips the later phases.
bool step_declare(struct scope *scope, size_t at, const struct node *node);

// Reads where the step's inputs come from. Returns false with findings.
bool step_resolve(struct scope *scope, size_t at, const struct node *node);

// Fills signature.inputs with the types of the sources. Returns false when out
// of memory.
bool step_settle(struct program *program, size_t at, struct err *err);

// Returns the step as a job file writes it, canonical (new reference); NULL
// when out of memory.
json_t *step_json(const struct program *program, const struct step *step);

#endif
