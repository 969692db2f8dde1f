// reply_tags: an answer in tags, <title>Weather</title>.

#ifndef PROGRAM_PROMPT_REPLY_TAGS_H
#define PROGRAM_PROMPT_REPLY_TAGS_H

#include <stdbool.h>

#include "program/prompt/reading.h"

// Finds the outputs between tags of their names, each on its own line or next
// to another tag. Returns false if there are none.
bool reply_tags_find(struct reading *reading);

#endif
