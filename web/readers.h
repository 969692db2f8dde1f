// readers: a few connections for reading the store, shared by many threads.
//
// A store is for one thread at a time (store/store.h), and opening one takes
// longer than most questions. So a thread takes one for a question and gives it
// back; if all are taken, it waits. They are opened when first needed.

#ifndef WEB_READERS_H
#define WEB_READERS_H

#include "common/err.h"
#include "store/store.h"

struct readers;

struct readers *readers_new(const char *path, struct err *err);
// All readers must have been given back. Accepts NULL.
void readers_free(struct readers *readers);

// Returns NULL with err if the store cannot be opened.
struct store *readers_take(struct readers *readers, struct err *err);
void readers_give(struct readers *readers, struct store *store);

#endif
