// guest: decides whether a worker may work on a machine that people use too.
//
// A guest takes calls only during certain hours of the day (`has_hours`), steps
// back while others want the machine (`yields`), or does both. Others want the
// machine when:
//
// * somebody else has a connection to the model server, if that runs on this
//   machine (the kernel lists the connections; our own are recognized by their
//   sockets);
// * the load average of the last minute is above a limit, which is the number
//   of processors unless another one is given. The model server alone does not
//   exceed it, since it has no more threads than that.
//
// The worker then takes no new calls, finishes those that it has begun, and
// says goodbye. It greets again when the machine is free. Checking is cheap,
// and done every GUEST_LOOK_MS. One owner, one thread.

#ifndef WORKER_GUEST_H
#define WORKER_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { GUEST_LOOK_MS = 2000 };

// Hours of a day, from one minute to another; the range may cross midnight. If
// both are equal, it is the whole day.
struct guest_hours {
    int from, to; // 0..1439
};

struct guest {
    bool yields;       // steps back while others want the machine
    int64_t most_load; // with `yields`; 0: the number of processors
    bool has_hours;    // takes calls only during `hours`
    struct guest_hours hours;
    int port; // of the model server on this machine; 0: it runs elsewhere

    bool looked;
    int64_t looked_ms;
    char why[120]; // why it may not work; "": it may
};

// Parses hours such as "20-08" or "18:30-7". ERR_INPUT comes with an example.
bool guest_hours_parse(const char *text, struct guest_hours *out,
                       struct err *err);
bool guest_hours_include(const struct guest_hours *hours, int minute_of_day);

// Returns NULL while the worker may work, otherwise the reason for the log.
// Checks at most every GUEST_LOOK_MS.
const char *guest_refusal(struct guest *guest, int64_t now_ms);

// Returns how many connections to a port of this machine belong to others.
// `lines` is the text of /proc/net/tcp, followed by that of tcp6; is_ours says
// whether a socket, given by its inode, is ours. Pure.
size_t guest_count_others(const char *lines, int port,
                          bool (*is_ours)(void *user, uint64_t inode),
                          void *user);

#endif
