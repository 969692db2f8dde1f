// key_find: the key to use, from a folder of keys.

#ifndef WIRE_KEY_FIND_H
#define WIRE_KEY_FIND_H

#include <stdbool.h>

#include "common/err.h"
#include "wire/key.h"

// Finds the only key of that role in a folder; `path` may also be the file
// itself. The caller wipes the key. ERR_INPUT if there is none or more than
// one; the text says which.
bool key_find(const char *path, enum key_role role, struct key *out,
              struct err *err);

#endif
