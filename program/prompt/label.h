// label: finds the one label of a set that a text stands for.
//
// Models dress up a label: "**B**", $B$, \boxed{B}, "B. Paris", "The answer is
// B.", with the quotes and full stops of any script. A text that names two
// labels, or denies one ("not B"), stands for none: asking again is better than
// guessing.

#ifndef PROGRAM_PROMPT_LABEL_H
#define PROGRAM_PROMPT_LABEL_H

#include <stddef.h>

#include "common/err.h"
#include "program/prompt/span.h"

struct label_set {
    const char *const *texts;
    size_t n;
    const int *groups; // labels of one group mean the same; NULL: all differ
    // Only the first n_contradicting labels cast doubt on a label that was
    // found, when the text names them as well. For a bool, "yes" does and "on"
    // does not.
    size_t n_contradicting;
};

enum { LABEL_NONE = -1, LABEL_MANY = -2 };

// Returns the index of the label, LABEL_NONE, or LABEL_MANY if text may mean
// two. Sets problem only when out of memory.
int label_find(const struct label_set *set, struct span text,
               struct err *problem);

#endif
