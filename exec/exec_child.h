// exec_child: one running program of the user, which we talk to in lines.
//
// It is started without a shell, in the job's folder, as the leader of a new
// process group. So a Ctrl-C at our terminal does not reach it, and what it
// starts dies with it, and with us (exec_guard.h). Its three streams are pipes
// that never block us. The end of its standard error is kept for the message
// that says what went wrong. Belongs to one thread, which has SIGPIPE blocked.

#ifndef EXEC_EXEC_CHILD_H
#define EXEC_EXEC_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"

enum {
    EXEC_TAIL_BYTES = 4096, // what is kept of standard error
    EXEC_END_BYTES = 64,    // of the words for how a child ended
};

struct exec_child {
    pid_t pid; // of its guard; 0: none is running, and the descriptors are -1
    int in, out, errors;
    int hold; // a pipe to the guard, which ends everything when it closes
    struct buf answer; // its standard output that nobody has taken yet; the
                       // owner releases it after the child's end
    char tail[EXEC_TAIL_BYTES + 1]; // NUL-terminated; kept until the next
                                    // start
    size_t tail_len;
};

// No child is running yet. max_bytes limits the output that nobody has taken.
void exec_child_init(struct exec_child *child, size_t max_bytes);

// Starts the child. path is absolute; argv and folder are as for execv and
// chdir. Any number of threads may start children at the same time. Returns
// false if the program cannot be started: ERR_LIMIT if the system lacks
// processes, descriptors or memory now, otherwise ERR_FAULT.
bool exec_child_start(struct exec_child *child, const char *path,
                      const char *const *argv, const char *folder,
                      struct err *err);

// Writes as much of data as fits to its standard input and adds that to
// *written. Returns false if the child does not read any more.
bool exec_child_write(struct exec_child *child, const char *data, size_t len,
                      size_t *written);

// Closes its standard input after the last line. The child may still write what
// is left, and end.
void exec_child_end_input(struct exec_child *child);

enum exec_reading {
    EXEC_READ_OPEN,
    EXEC_READ_ENDED,    // it closed its standard output
    EXEC_READ_TOO_LONG, // over max_bytes that nobody has taken
};

// Reads what is available on standard output and standard error.
enum exec_reading exec_child_read(struct exec_child *child);

enum exec_patience {
    EXEC_END_NOW,
    EXEC_END_PATIENTLY, // the child first gets a moment to end without a signal
};

// Ends the child and everything it started, and reaps it. how says how it ended
// ("exited with status 1"). Returns true if it had ended without a signal and
// with status 0. Does nothing if no child is running; how is then "".
bool exec_child_end(struct exec_child *child, enum exec_patience patience,
                    char how[EXEC_END_BYTES]);

#endif
