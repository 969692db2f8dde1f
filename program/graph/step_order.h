// step_order: the order in which the steps of a program can run.
//
// A step comes after all steps that it reads from. Among steps that could come
// next, the first in the file does, so the order is the same for the same file.

#ifndef PROGRAM_GRAPH_STEP_ORDER_H
#define PROGRAM_GRAPH_STEP_ORDER_H

#include <stdbool.h>

#include "program/graph/scope.h"

// Fills in the order of the program, whose sources must all be resolved. If
// steps depend on each other in a cycle, returns false with a finding for each
// cycle. Also returns false when out of memory (diags->nomem).
bool step_order_make(struct scope *scope);

#endif
