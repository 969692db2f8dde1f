// readers: a few connections that read the store, shared by many threads.
//
// A store is for one thread at a time (store/store.h), and opening one takes
// longer than most questions. So a thread takes one for a question and gives it
// back; when all are out, it waits. They are opened when first needed.

#ifndef WEB_READERS_H
#define WEB_READERS_H

#include "common/err.h"
#include "store/store.h"

struct readers;

struct readers *readers_new(const char *path, struct err *err);
// All must have been given back. NULL is fine.
void readers_free(struct readers *readers);

// NULL with err when the store cannot be opened.
struct store *readers_take(struct readers *readers, struct err *err);
void readers_give(struct readers *readers, struct store *store);

#endif
