// kept_answers: the answers to recent searches.
//
// An optimizer asks the same questions over and over, followed by different
// prompts. If the answers become too many, all are dropped: the question is
// then searched for again.

#ifndef RETRIEVE_KEPT_ANSWERS_H
#define RETRIEVE_KEPT_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/hash.h"
#include "common/map.h"

// Zeroed means none.
struct kept_answers {
    struct map by_question; // owns its values
    size_t bytes;
};

// Appends what was found before; returns false if that is no longer known.
bool kept_answers_put(const struct kept_answers *kept,
                      const struct hash *question, struct buf *out);

// Keeps a copy of an answer, if there is memory for it.
void kept_answers_add(struct kept_answers *kept, const struct hash *question,
                      const char *text, size_t len);

void kept_answers_release(struct kept_answers *kept);

#endif
