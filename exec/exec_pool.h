// exec_pool: answers from programs of the user.
//
// Each command has up to `processes` long-lived children. A child is given
// one line on its standard input and answers with one on its standard output;
// only then does it get the next. The pool is a thread of its own that talks
// to the children; the owner begins requests, waits until the pool's file
// descriptor is readable, and takes what is done, in any order.
//
//         exec_pool_begin           an idle child         a whole line
//   owner ---------------> waiting ---------------> asked --------------> done
//                                                     |                    ^
//                        dies, hangs, floods, talks   |                    |
//                        nonsense: killed, a fault    +--------------------+
//
// 1. A request ends exactly once: with a line that its command's `check`
//    accepts, or with a fault. A fault is never an answer: it says what the
//    child did and how its standard error ended. The next request gets a fresh
//    child.
// 2. A child that writes what it was not asked for has lost step: its answers
//    can no longer be told apart. It is a fault of the next request. One that
//    writes a line before it reads the first would answer each request with
//    what was meant for the one before, and nobody would notice. So the first
//    child of a command gets one line and then the end of its input, and all
//    that it writes until it ends, or for a second more, has to be one line;
//    what could not be taken for an answer does not count, such as a goodbye.
//    Other requests of the command wait for that. One that ends without an
//    answer, since it drops its work at the end of its input, proves nothing.
// 3. A child may end, with status 0, after any number of answers. If it does
//    so when the next request is on its way already, a fresh one gets that.
// 4. Children die with the pool, and with us, however we end, and with them all
//    that they started (exec_guard.h).
//
// exec_pool_begin, _fd, _take and _stop belong to one owner thread.

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
    // Whether a line is an answer; ERR_PROTOCOL says why not. NULL: any line.
    // Called on the pool's thread.
    bool (*check)(const void *of, const char *text, size_t len,
                  struct err *err);
    const void *of; // borrowed until stop: handed to check
    // Whether a child may start now; NULL: always. ERR_DIFFERS says why not,
    // and is the fault of the request. Called on the pool's thread.
    bool (*may_start)(const void *with, struct err *err);
    const void *with; // borrowed until stop: handed to may_start
};

struct exec_pool;

struct exec_pool_options {
    const struct exec_command *commands; // copied; argv borrowed until stop
    size_t n_commands;                   // 1 to EXEC_POOL_MAX_COMMANDS
    const char *folder; // of the job: where commands are found and run
    int processes;      // a command, 1 to EXEC_POOL_MAX_PROCESSES
};

struct exec_done {
    uint64_t id;
    bool ok;
    char *text; // the answer without its line end, NUL-terminated; owned
    size_t len;
    struct err fault; // when not ok: one sentence, ERR_FAULT or ERR_DIFFERS
    char *errors;     // when not ok: the end of standard error; owned
};
void exec_done_release(struct exec_done *done);

// Finds the programs and starts the thread; children start when they are
// needed. The first word of a command is a file beside the job if there is
// one, else a program of PATH. NULL on failure (ERR_INPUT: not found or not
// executable, with the remedy).
struct exec_pool *exec_pool_start(const struct exec_pool_options *options,
                                  struct err *err);

// Kills and reaps all children, and joins the thread; what was not taken is
// dropped. NULL is fine.
void exec_pool_stop(struct exec_pool *pool);

// Asks command (its index). The line is copied; it has no line end. False
// without memory, or over EXEC_POOL_MAX_LINE_BYTES.
bool exec_pool_begin(struct exec_pool *pool, size_t command, uint64_t id,
                     const char *line, size_t len, struct err *err);

// Readable while there is something to take. The pool's own.
int exec_pool_fd(const struct exec_pool *pool);

// Fills done (the caller releases it); false when there is nothing.
bool exec_pool_take(struct exec_pool *pool, struct exec_done *done);

#endif
