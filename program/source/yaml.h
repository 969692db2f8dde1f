// yaml: a YAML (or JSON) text as a tree of nodes.
//
// Hides libfyaml. Anchors and merge keys are resolved, duplicate keys refused.
// A text is not trusted: its bytes, its depth, the number of its values (each
// use of an anchor counts) and the members of a map are bounded.

#ifndef PROGRAM_SOURCE_YAML_H
#define PROGRAM_SOURCE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "program/source/node.h"

enum { YAML_MAX_BYTES = 4 << 20, YAML_MAX_DEPTH = 64 };

// Reads text. NULL and findings on bad syntax. file names it in findings;
// the texts of diags keep source lines.
struct node *yaml_parse(struct arena *arena, const char *file, const char *text,
                        size_t len, struct diags *diags);

// Sets KEY (as node_put has it) to the YAML text VALUE. False with a finding
// when it cannot be.
bool yaml_set(struct arena *arena, struct node *root, const char *key,
              const char *value, struct diags *diags);

#endif
