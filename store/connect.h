// connect: opens a connection to the store's file, set up for our statements.

#ifndef STORE_CONNECT_H
#define STORE_CONNECT_H

#include <stdbool.h>

#include <sqlite3.h>

#include "common/err.h"

// `name` is the file's path or a URI of it, `path` is what error messages show,
// and the flags are those of sqlite3_open_v2. The caller closes *db, which is
// NULL if there is no connection.
bool store_connect(sqlite3 **db, const char *name, const char *path, int flags,
                   struct err *err);

#endif
