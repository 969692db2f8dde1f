// exec_child: one running program of the user, spoken to in lines.
//
// It is started without a shell, in the job's folder, as the leader of a
// process group of its own: a Ctrl-C at our terminal does not reach it, and
// what it starts dies with it, and with us (exec_guard.h). Its three streams
// are pipes that never block us. The end of its standard error is kept, for the
// message that says what went wrong. Belongs to one thread, which has SIGPIPE
// blocked.

#ifndef EXEC_EXEC_CHILD_H
#define EXEC_EXEC_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/types.h>

#include "common/buf.h"
#include "common/err.h"

enum {
    EXEC_LINE_MAX_BYTES = 1 << 20, // of standard output, without an end
    EXEC_TAIL_BYTES = 4096,        // of standard error
    EXEC_END_BYTES = 64,
};

struct exec_child {
    pid_t pid; // of its guard; 0: none runs, and the descriptors are -1
    int in, out, errors;
    int hold;          // a pipe to the guard: closed, it makes an end
    struct buf answer; // of its standard output, what nobody took yet
    char tail[EXEC_TAIL_BYTES + 1]; // NUL-terminated; stays after its end
    size_t tail_len;
};

void exec_child_init(struct exec_child *child);

// path is absolute; argv and folder as for execv and chdir. Any number of
// threads may start children of their own at once.
bool exec_child_start(struct exec_child *child, const char *path,
                      const char *const *argv, const char *folder,
                      struct err *err);

// Writes what fits of data to its standard input and adds it to *written.
// False when it reads no more.
bool exec_child_write(struct exec_child *child, const char *data, size_t len,
                      size_t *written);

// There are no more lines for it: it may write what is left, and end.
void exec_child_end_input(struct exec_child *child);

enum exec_reading {
    EXEC_READ_OPEN,
    EXEC_READ_ENDED,    // it closed its standard output
    EXEC_READ_TOO_LONG, // over EXEC_LINE_MAX_BYTES
};

// Takes in what is there of standard output and standard error.
enum exec_reading exec_child_read(struct exec_child *child);

// Ends and reaps it and all that it started; how says how it came to its end
// ("exited with status 1"). A patient end first gives it a moment to die by
// itself. True when it had ended by itself with status 0. Nothing happens when
// none runs.
bool exec_child_end(struct exec_child *child, bool patient,
                    char how[EXEC_END_BYTES]);

#endif
