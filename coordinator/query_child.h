// query_child: runs SQL that clients wrote in a separate process.
//
// SQLite checks the time between the steps of a statement, never inside a
// function. One `instr` of two long texts computes for minutes, and a row of a
// hundred `hex(zeroblob(...))` takes gigabytes, without a single check. A
// thread that does so can be neither stopped nor made to return its memory. A
// process can, and it shares nothing with the loop but the files of the store:
//
//     a thread of the coordinator -- {"sql"} --> PROGRAM answer-query STORE
//                                 <-- {"columns", "rows"} or {"error"} --
//
// The process limits itself (cli/answer_query.c), and is killed if it takes
// longer than QUERY_CHILD_MS anyway.

#ifndef COORDINATOR_QUERY_CHILD_H
#define COORDINATOR_QUERY_CHILD_H

#include "common/err.h"

enum { QUERY_CHILD_MS = 8000 }; // its own bound is STORE_SNAPSHOT_MS

// Returns the text of the reply, which may be that of an error; the caller
// frees it. program is the path of promptcc (NULL: not available), store that
// of the store, and argument the client's (`{"sql": text}`). Blocks; call from
// a thread that takes no signals. Returns NULL on failure, with ERR_LIMIT if
// the process had to be killed.
char *query_child_ask(const char *program, const char *store,
                      const char *argument, struct err *err);

#endif
