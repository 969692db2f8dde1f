// reply_object: an answer as one JSON object, with the outputs as its keys.

#ifndef PROGRAM_PROMPT_REPLY_OBJECT_H
#define PROGRAM_PROMPT_REPLY_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "program/prompt/reading.h"

// Finds the outputs in the object that the reply is, or means. False when it
// has none; the reading keeps the object all the same.
bool reply_object_find(struct reading *reading);

// Where the value of a key stands in JSON text, its quote skipped; text.len
// when it is nowhere.
size_t reply_object_locate(struct span text, const char *name);

// A whole object at the beginning of text, whatever is behind it.
bool reply_object_begins(struct span text);

#endif
