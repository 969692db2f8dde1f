// migrate: brings a file to the version that this program writes.
//
// PRAGMA application_id says that a file is ours, user_version which version it
// has. All steps of an upgrade are one transaction, so a crash leaves the
// complete old version. Files only go forward: an older program refuses a newer
// store, because it could not know what it would break.
//
// The views of a file are those of the program that last wrote to it. The meta
// entry `views` is a hash of their SQL; if it differs, the views are dropped
// and recreated in the same transaction.

#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <sqlite3.h>

#include "common/err.h"

// Creates or upgrades the store open in db, in WAL mode. Fails with ERR_INPUT
// for a file that is not a store, or a newer one.
bool migrate_file(sqlite3 *db, const char *path, struct err *err);

// For reading: returns true if the file is a store of this version or an older
// one.
bool migrate_check(sqlite3 *db, const char *path, struct err *err);

// What migrate_file would have to do to a store.
enum migrate_age { MIGRATE_CURRENT, MIGRATE_OTHER_VIEWS, MIGRATE_OLDER };

bool migrate_age(sqlite3 *db, const char *path, enum migrate_age *age,
                 struct err *err);

#endif
