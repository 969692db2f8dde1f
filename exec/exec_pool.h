// exec_pool: gets answers from programs of the user.
//
// Each command has up to `processes` long-lived children. A child gets one line
// on its standard input and answers with one line on its standard output; only
// then does it get the next. The pool has a thread that talks to the children.
// The owner begins requests, waits until the pool's file descriptor is
// readable, and takes finished requests, in any order.
//
//         exec_pool_begin           an idle child         a whole line
//   owner ---------------> waiting ---------------> asked --------------> done
//                                                     |                    ^
//                        dies, hangs, floods, talks   |                    |
//                        nonsense: killed, a fault    +--------------------+
//
// 1. A request ends exactly once: with a line that its command's `check`
//    accepts, or with a fault. A fault is never an answer: it says what the
//    child did and how its standard error ended. The next request gets a new
//    child.
// 2. A child that writes without being asked is out of step: its answers can
//    no longer be matched to requests. That is a fault of the next request. A
//    child that writes a line before it reads the first would answer each
//    request with what was meant for the one before, and nobody would notice.
//    So the first child of a command gets one line and then the end of its
//    input. All that it writes until it ends, or for another second, must be
//    one line; lines that could not be mistaken for an answer, such as a
//    goodbye, do not count. Other requests of the command wait for that. A
//    child that ends without an answer, because it drops its work at the end of
//    its input, proves nothing.
// 3. A child may end, with status 0, after any number of answers. If the next
//    request is already on its way then, a new child gets it.
// 4. Children die with the pool, and with us, however we end, and so does
//    everything that they started (exec_guard.h).
//
// Call exec_pool_begin, _fd, _take and _stop only from the one thread that owns
// the pool.

#ifndef EXEC_EXEC_POOL_H
#define EXEC_EXEC_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum {
    EXEC_POOL_MAX_COMMANDS = 128,
    EXEC_POOL_MAX_PROCESSES = 64,
    EXEC_POOL_MAX_LINE_BYTES = 16 << 20,
};

// A program of the user, and how to tell its answers from noise.
struct exec_command {
    const char *const *argv; // NULL-terminated
    int64_t timeout_ms;      // for one answer
    const char *what;        // for messages: "the metric's command"
    // Returns true if a line is an answer; if not, ERR_PROTOCOL says why. NULL:
    // any line is. Called on the pool's thread.
    bool (*check)(const void *of, const char *text, size_t len,
                  struct err *err);
    const void *of; // for check; borrowed until stop
    // Returns true if a child may start now; NULL: always. If not, ERR_DIFFERS
    // says why and becomes the fault of the request. Called on the pool's
    // thread.
    bool (*may_start)(const void *with, struct err *err);
    const void *with; // for may_start; borrowed until stop
};

struct exec_pool;

struct exec_pool_options {
    const struct exec_command *commands; // copied; argv borrowed until stop
    size_t n_commands;                   // 1 to EXEC_POOL_MAX_COMMANDS
    const char *folder; // of the job: commands are found and run there
    int processes;      // per command, 1 to EXEC_POOL_MAX_PROCESSES
};

struct exec_done {
    uint64_t id;
    bool ok;
    char *text; // the answer without its newline, NUL-terminated; owned
    size_t len;
    struct err fault; // when not ok: one sentence, with ERR_FAULT, ERR_DIFFERS,
                      // or ERR_LIMIT if the system lacks what a child needs
    char *errors;     // when not ok: the end of standard error; owned
};
void exec_done_release(struct exec_done *done);

// Finds the programs and starts the thread; children start when they are
// needed. The first word of a command names a file in the job's folder, or if
// there is none, a program in PATH. Returns NULL on failure (ERR_INPUT: not
// found or not executable, with the remedy).
struct exec_pool *exec_pool_start(const struct exec_pool_options *options,
                                  struct err *err);

// Kills and reaps all children and joins the thread. Results that were not
// taken are dropped. Accepts NULL.
void exec_pool_stop(struct exec_pool *pool);

// Puts a request to a command (its index). Copies the line, which has no
// newline. Returns false when out of memory, or if the line exceeds
// EXEC_POOL_MAX_LINE_BYTES.
bool exec_pool_begin(struct exec_pool *pool, size_t command, uint64_t id,
                     const char *line, size_t len, struct err *err);

// Returns a descriptor that is readable while there is something to take. The
// pool owns it.
int exec_pool_fd(const struct exec_pool *pool);

// Fills in done, which the caller releases; returns false if there is nothing.
bool exec_pool_take(struct exec_pool *pool, struct exec_done *done);

#endif
