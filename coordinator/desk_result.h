// desk_result: what a finished job leaves: state, document, compiled file.

#ifndef COORDINATOR_DESK_RESULT_H
#define COORDINATOR_DESK_RESULT_H

#include "coordinator/desk.h"

struct desk_result {
    int64_t status; // exit status (docs/command-line.md)
    char *document; // JSON; owned
    char *compiled; // owned, or NULL
};

void desk_result_release(struct desk_result *result);

// Completes the session's ending with what only the loop knows (calls, tokens,
// time), and stores the job's state. The desk has ended.
void desk_finish(struct desk *desk, int64_t now, struct desk_result *out);

// Notes the time spent so far. Only time in which something was paid counts:
// replaying a finished job leaves it as it was.
void desk_save_time(struct desk *desk, int64_t now);

// {"error": {"code", "text", "place"}}. The caller frees; NULL without memory.
char *error_document(const struct err *err);

#endif
