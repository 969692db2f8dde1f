// answer_query: SQL of somebody else, answered by a process of its own.
//
// `promptcc answer-query STORE` is how a coordinator has a client's SQL run
// (coordinator/query_child.h), and no command of users: its one input is
// `{"sql": text}` on standard input, its one output the document of the reply.
// Neither options nor the environment are looked at.
//
// It bounds itself: memory, temporary files and time as query_confine says.
// Whoever started it bounds the time that SQLite does not look at.

#ifndef CLI_ANSWER_QUERY_H
#define CLI_ANSWER_QUERY_H

// The path by which this program starts itself, also when its file has been
// replaced meanwhile; NULL on systems that have none.
const char *answer_query_program(void);

// Gives the exit status.
int answer_query(const char *store);

#endif
