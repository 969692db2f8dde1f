// signals: Ctrl-C, SIGTERM and the end of the terminal as something that a loop
// can wait for.
//
// The first of them makes the descriptor readable: the loop saves and ends. The
// second ends the process at once with status 130, by which nothing that was
// paid for is lost (store/store.h). A terminal that ends says so twice, by its
// shell and by the kernel, so SIGHUP never counts as the second. Under nohup,
// which has it ignored, it stays ignored.
//
// Open it once in a process, before any thread is started, so that only the
// opener's thread is ever interrupted.

#ifndef COMMON_SIGNALS_H
#define COMMON_SIGNALS_H

#include <stdbool.h>

#include "common/err.h"

// Takes SIGINT, SIGTERM and SIGHUP over, ignores SIGPIPE. The signals are held
// back until signals_accept, and in all threads that are started before it.
bool signals_open(struct err *err);

// From here on this thread takes them.
void signals_accept(void);

// For a program that serves until it is told to end. Without a terminal no
// terminal ends: whoever sends SIGHUP then (logrotate, at night) wants a log
// opened anew, and ours is standard error. It is ignored from here on.
void signals_serve(void);

int signals_fd(void); // readable once one came; -1 when not open
bool signals_came(void);

// Restores what was before.
void signals_close(void);

#endif
