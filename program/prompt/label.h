// label: the one label of a set that a text stands for.
//
// Models dress a label: "**B**", $B$, \boxed{B}, "B. Paris", "The answer is
// B.", quotes and full stops of any script. A text that names two labels, or a
// label that it denies ("not B"), stands for none: asked again is better than
// guessed.

#ifndef PROGRAM_PROMPT_LABEL_H
#define PROGRAM_PROMPT_LABEL_H

#include <stddef.h>

#include "common/err.h"
#include "program/prompt/span.h"

struct label_set {
    const char *const *texts;
    size_t n;
    const int *groups; // labels of one group mean the same; NULL: each its own
    // Only the first so many leave doubt when they are named beside the label
    // that was found: of a bool, "yes" does and "on" does not.
    size_t n_telling;
};

enum { LABEL_NONE = -1, LABEL_MANY = -2 };

// The index of a label; LABEL_MANY when text may mean two. problem is set only
// without memory.
int label_find(const struct label_set *set, struct span text,
               struct err *problem);

#endif
