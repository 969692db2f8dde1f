// scope: the names that a reference in a job file may mean.
//
// A reference is the name of an input of the program, the name of a composed
// step (its whole value), or STEP.FIELD. Steps are a graph: a reference may
// name a step that stands further down. All steps must be declared before the
// first reference is read.

#ifndef PROGRAM_GRAPH_SCOPE_H
#define PROGRAM_GRAPH_SCOPE_H

#include <stdbool.h>

#include "common/buf.h"
#include "program/graph/program.h"
#include "program/source/diag.h"
#include "program/source/node.h"

// A program while it is read.
struct scope {
    struct program *program;
    struct diags *diags;
    // Steps and inputs that could not be read, so that the names which they
    // would give are unknown: a reference to them is not another mistake.
    bool broken[PROGRAM_MAX_STEPS];
    bool broken_inputs;
    bool broken_steps;
};

// The source that node names. False with a finding, which suggests the
// nearest right reference; what names the reader in it ("step `respond`").
bool scope_resolve(struct scope *scope, const struct node *node,
                   const char *what, struct source *out);

// True, or a finding: NAME is no name, or reserved.
bool scope_check_name(struct scope *scope, const char *name, const char *what,
                      const struct place *place);

// The same of a name that a column of the data has, too.
bool scope_check_column(struct scope *scope, const char *name, const char *what,
                        const struct place *place);

// A source as a reference: "classify.intent".
void source_put(const struct program *program, const struct source *source,
                struct buf *out);

#endif
