// scope: the names that a reference in a job file may mean.
//
// A reference is the name of an input of the program, the name of a composed
// step (its whole value), or STEP.FIELD. Steps form a graph, so a reference may
// name a step that comes later in the file. All steps must be declared before
// the first reference is read.

#ifndef PROGRAM_GRAPH_SCOPE_H
#define PROGRAM_GRAPH_SCOPE_H

#include <stdbool.h>

#include "common/buf.h"
#include "program/graph/program.h"
#include "program/source/diag.h"
#include "program/source/node.h"

// A program while it is being read.
struct scope {
    struct program *program;
    struct diags *diags;
    // Steps and inputs that could not be read. The names that they would define
    // are unknown, so a reference to them is not reported as another mistake.
    bool broken[PROGRAM_MAX_STEPS];
    bool broken_inputs;
    bool broken_steps;
};

// Finds the source that node names. On failure, returns false with a finding
// that suggests the nearest valid reference; `what` names the reader in it
// ("step `respond`").
bool scope_resolve(struct scope *scope, const struct node *node,
                   const char *what, struct source *out);

// Returns true if the name is valid. Otherwise adds a finding: it is not a
// name, or it is reserved.
bool scope_check_name(struct scope *scope, const char *name, const char *what,
                      const struct place *place);

// Like scope_check_name, for a name that is also a column of the data.
bool scope_check_column(struct scope *scope, const char *name, const char *what,
                        const struct place *place);

// Appends a source as a reference: "classify.intent".
void source_put(const struct program *program, const struct source *source,
                struct buf *out);

#endif
