// answer_query: answers a client's SQL in a process of its own.
//
// A coordinator runs `promptcc answer-query STORE` for every SQL query of a
// client (coordinator/query_child.h). It is not a command for users: its only
// input is `{"sql": text}` on standard input, and its only output is the
// document of the reply. It reads neither options nor the environment.
//
// The process limits its own memory, temporary files and time, as query_confine
// says. SQLite does not check the clock everywhere, so whoever starts the
// process must limit its total time.

#ifndef CLI_ANSWER_QUERY_H
#define CLI_ANSWER_QUERY_H

// Returns the path by which this program starts itself again; it works even if
// the program's file has been replaced meanwhile. Returns NULL on systems that
// have no such path.
const char *answer_query_program(void);

// Returns the exit status.
int answer_query(const char *store);

#endif
