// reply_object: reads an answer as one JSON object with the outputs as its
// keys.

#ifndef PROGRAM_PROMPT_REPLY_OBJECT_H
#define PROGRAM_PROMPT_REPLY_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "program/prompt/reading.h"

// Finds the outputs in the object that the reply is, or means. Returns false if
// the object has none; the reading keeps the object anyway.
bool reply_object_find(struct reading *reading);

// Finds where the value of a key begins in JSON text, after its opening quote;
// text.len if the key does not occur.
size_t reply_object_locate(struct span text, const char *name);

// Returns true if text begins with a complete object, whatever follows it.
bool reply_object_begins(struct span text);

#endif
