// key_folder: a folder of keys, as `promptcc keys` keeps it (wire/key.h).

#ifndef CLI_KEY_FOLDER_H
#define CLI_KEY_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "wire/key.h"

// Creates FOLDER/coordinator.key if it is missing (*made says whether) and,
// unless role is KEY_COORDINATOR, also NAME.key and allowed/NAME.pub. ERR_INPUT
// if the name is taken; then nothing is made. *made also holds on failure.
bool key_folder_make(const char *folder, enum key_role role, const char *name,
                     bool *made, struct err *err);

// Removes NAME's public key from the folder, and its secret key if that is
// there too.
bool key_folder_revoke(const char *folder, const char *name, struct err *err);

// Lists the keys that are allowed, sorted by name. The caller frees *out; an
// empty list is NULL and 0.
bool key_folder_list(const char *folder, struct key **out, size_t *n,
                     struct err *err);

#endif
