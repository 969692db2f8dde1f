// query_child: SQL that clients write, run in a process of its own.
//
// SQLite looks at the clock between the steps of a statement, never inside a
// function: one `instr` of two long texts computes for minutes, and a row of
// a hundred `hex(zeroblob(...))` takes gigabytes, without a single look. A
// thread that does so can be neither ended nor given back its memory. A process
// can, and it shares nothing with the loop but the files of the store:
//
//     a thread of the coordinator -- {"sql"} --> PROGRAM answer-query STORE
//                                 <-- {"columns", "rows"} or {"error"} --
//
// The process bounds itself (cli/answer_query.c) and is killed when it takes
// longer than QUERY_CHILD_MS all the same.

#ifndef COORDINATOR_QUERY_CHILD_H
#define COORDINATOR_QUERY_CHILD_H

#include "common/err.h"

enum { QUERY_CHILD_MS = 8000 }; // its own bound is STORE_SNAPSHOT_MS

// program is the path of promptcc (NULL: there is none), store that of the
// store, argument the client's (`{"sql": text}`). Blocks; for a thread that
// takes no signals. The text of the reply, which the caller frees and which may
// be that of an error; NULL on failure, ERR_LIMIT when the process had to be
// ended.
char *query_child_ask(const char *program, const char *store,
                      const char *argument, struct err *err);

#endif
