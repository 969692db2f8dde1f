// step: reading the steps of a job file, whatever their kind (kind.h).
//
// Reading has three phases, because steps may refer to each other in any order:
//
//   declare   name, kind and outputs: what others may refer to
//   resolve   the sources of its inputs, all steps being declared
//   settle    the types of its inputs, steps before it being settled
//
// Private to the room: others see program.h.

#ifndef PROGRAM_GRAPH_STEP_H
#define PROGRAM_GRAPH_STEP_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/program.h"
#include "program/graph/scope.h"
#include "program/source/node.h"

// Reads kind and outputs of step `at` from node; the step's name and place
// are set. False with findings; the step is marked as broken when kind or
// outputs stay unknown, and then has no further phase.
bool step_declare(struct scope *scope, size_t at, const struct node *node);

// Reads where its inputs come from. False with findings.
bool step_resolve(struct scope *scope, size_t at, const struct node *node);

// Fills signature.inputs by what the sources hold. False without memory.
bool step_settle(struct program *program, size_t at, struct err *err);

json_t *step_json(const struct program *program, const struct step *step);

#endif
