// yaml: reads a YAML (or JSON) text into a tree of nodes.
//
// Hides libfyaml. Anchors and merge keys are resolved; duplicate keys are
// rejected. Texts are untrusted: their size, depth, number of values (each use
// of an anchor counts) and members per map are limited.

#ifndef PROGRAM_SOURCE_YAML_H
#define PROGRAM_SOURCE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "program/source/node.h"

enum { YAML_MAX_BYTES = 4 << 20, YAML_MAX_DEPTH = 64 };

// Parses text. Returns NULL with findings on bad syntax. `file` names the text
// in findings; diags keeps the source lines.
struct node *yaml_parse(struct arena *arena, const char *file, const char *text,
                        size_t len, struct diags *diags);

// Sets KEY (dotted, as for node_put) to the YAML text VALUE. Returns false with
// a finding if this is not possible.
bool yaml_set(struct arena *arena, struct node *root, const char *key,
              const char *value, struct diags *diags);

#endif
