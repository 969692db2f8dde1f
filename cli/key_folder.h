// key_folder: a folder of keys as `promptcc keys` keeps it (wire/key.h).

#ifndef CLI_KEY_FOLDER_H
#define CLI_KEY_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "wire/key.h"

// Makes FOLDER/coordinator.key where it is not there yet (*made says so), and,
// unless role is KEY_COORDINATOR, NAME.key and allowed/NAME.pub. ERR_INPUT when
// the name is taken.
bool key_folder_make(const char *folder, enum key_role role, const char *name,
                     bool *made, struct err *err);

// Takes NAME's public key out of the folder, and its secret where that is here.
bool key_folder_revoke(const char *folder, const char *name, struct err *err);

// The keys that are allowed, in the order of their names. The caller frees
// *out; none is NULL and 0.
bool key_folder_list(const char *folder, struct key **out, size_t *n,
                     struct err *err);

#endif
