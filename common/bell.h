// bell: wakes a thread that polls, from another thread or a signal handler.
//
// Its descriptor is readable from the ring to the hush, however often it rang
// in between. Hush first and look for work afterwards: then no work that came
// before a ring is missed.
//
// A pipe with both ends closed on exec, so that no program of the user holds
// one, and neither end ever waits.

#ifndef COMMON_BELL_H
#define COMMON_BELL_H

#include <stdbool.h>

#include "common/err.h"

struct bell {
    int ends[2]; // read, write; -1: none
};

#define BELL_NONE                                                              \
    {                                                                          \
        {                                                                      \
            -1, -1                                                             \
        }                                                                      \
    }

// `whose` completes "cannot make a pipe for ".
bool bell_open(struct bell *bell, const char *whose, struct err *err);
void bell_close(struct bell *bell); // BELL_NONE is fine

// From any thread, and from a signal handler: errno stays as it is.
// BELL_NONE is fine.
void bell_ring(const struct bell *bell);

void bell_hush(const struct bell *bell);

// What to poll for POLLIN. -1: it is not open.
int bell_fd(const struct bell *bell);

#endif
