// migrate: brings a file to the version that this program writes.
//
// PRAGMA application_id says that a file is ours, user_version how old it is.
// All steps of an upgrade are one transaction: a crash leaves the old version,
// whole. Files only go forward: an older program refuses a newer store, for it
// would not know what it breaks.
//
// The views of a file are those of the program that last wrote to it: meta
// `views` is a hash of their SQL, and if it differs they are dropped and
// made again in the same transaction.

#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <sqlite3.h>

#include "common/err.h"

// Makes or upgrades the store open in db, in WAL mode. ERR_INPUT for a file
// that is no store or a newer one.
bool migrate_file(sqlite3 *db, const char *path, struct err *err);

// For reading: true when the file is a store of this version, or of an older
// one.
bool migrate_check(sqlite3 *db, const char *path, struct err *err);

// What migrate_file would have to do to a store.
enum migrate_age { MIGRATE_CURRENT, MIGRATE_OTHER_VIEWS, MIGRATE_OLDER };

bool migrate_age(sqlite3 *db, const char *path, enum migrate_age *age,
                 struct err *err);

#endif
