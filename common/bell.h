// bell: wakes a polling thread, from another thread or from a signal handler.
//
// The bell's descriptor is readable from bell_ring to bell_clear, however often
// the bell rang in between. A thread calls bell_clear first and looks for work
// afterwards, so it never misses work that was queued before a ring.
//
// The bell is a pipe. Both ends are closed on exec, so that no user program
// inherits them, and neither end ever blocks.

#ifndef COMMON_BELL_H
#define COMMON_BELL_H

#include <stdbool.h>

#include "common/err.h"

struct bell {
    int ends[2]; // read, write; -1 if not open
};

#define BELL_NONE                                                              \
    {                                                                          \
        {                                                                      \
            -1, -1                                                             \
        }                                                                      \
    }

// `whose` completes "cannot make a pipe for ".
bool bell_open(struct bell *bell, const char *whose, struct err *err);
void bell_close(struct bell *bell); // accepts BELL_NONE

// May be called from any thread and from a signal handler; it preserves errno.
// Accepts BELL_NONE.
void bell_ring(const struct bell *bell);

void bell_clear(const struct bell *bell);

// Returns the descriptor to poll for POLLIN, or -1 if the bell is not open.
int bell_fd(const struct bell *bell);

#endif
