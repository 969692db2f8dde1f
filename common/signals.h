// signals: lets a loop wait for Ctrl-C, SIGTERM and the end of the terminal.
//
// The first signal makes the descriptor readable: the loop saves and ends. The
// second ends the process at once with status 130; nothing that was paid for is
// lost (store/store.h). A closing terminal sends SIGHUP twice, once from the
// shell and once from the kernel, so SIGHUP never counts as the second signal.
// Under nohup, which ignores SIGHUP, it stays ignored.
//
// Call signals_open once per process, before any thread is started, so that
// only the calling thread is ever interrupted.

#ifndef COMMON_SIGNALS_H
#define COMMON_SIGNALS_H

#include <stdbool.h>

#include "common/err.h"

// Takes over SIGINT, SIGTERM and SIGHUP, and ignores SIGPIPE. The signals are
// blocked until signals_accept, and stay blocked in all threads started before
// that.
bool signals_open(struct err *err);

// Lets this thread receive the signals from here on.
void signals_accept(void);

// For a program that serves until it is told to end. Without a terminal, SIGHUP
// cannot mean that the terminal closed: whoever sends it (logrotate, at night)
// wants a log file reopened, and ours is standard error. So SIGHUP is ignored
// from here on.
void signals_serve(void);

int signals_fd(void); // readable once a signal came; -1 if not open
bool signals_came(void);

// Restores the previous handlers.
void signals_close(void);

#endif
