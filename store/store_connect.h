// store_connect: opens the connections of a store.
//
// Private to this room.

#ifndef STORE_STORE_CONNECT_H
#define STORE_STORE_CONNECT_H

#include <stdbool.h>

#include "store/parts.h"

// Opens the connection that writes, upgrades the file or makes it, and starts
// the writer, which owns the connection. Locks a file that is new.
bool store_open_writer(struct store *store, struct err *err);

// Opens the connection that reads. A file in a folder where nothing may be
// written is read as it is, if its log has been moved into it.
bool store_open_reader(struct store *store, struct err *err);

#endif
