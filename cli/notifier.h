// notifier: tells others what happens to a job, through HTTP hooks (--notify
// URL) and a command (--on-event COMMAND).
//
// It runs in a thread of its own, fed by a short queue, and can never hold up
// or break a run. An event that finds the queue full replaces the last one in
// it, a hook that does not answer is given up after 10 s, and a command is
// ended after 30 s.
//
// No failure is hidden, and no hook floods the terminal: the first failure of
// each hook is reported when it happens, and the number of failures when the
// job has ended. So is the number of events that were dropped.
//
// An event is one JSON object:
//
//   {"event": "best", "job": "...", "score": 0.84, "low": 0.77, "high": 0.9,
//    "baseline": 0.61, "trial": 12, "calls": 812}
//
// A hook gets it as the body of a POST, a command on its standard input. The
// command runs in a shell, with PROMPTCC_EVENT, PROMPTCC_JOB and PROMPTCC_SCORE
// set.

#ifndef CLI_NOTIFIER_H
#define CLI_NOTIFIER_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/options.h"
#include "common/err.h"
#include "wire/message.h"

struct notifier;

// Sets *out to NULL if the options ask for no notifications. Start it before
// signals_accept, since its thread must not receive signals. ERR_INPUT: not a
// URL.
bool notifier_start(struct notifier **out, const struct options *options,
                    struct err *err);

// Sends "best" if the best score in `progress` is better than any before, and
// better than that of the program as written. Here and below, notifier may be
// NULL.
void notifier_look(struct notifier *notifier, const struct progress *progress);

// Sends `event`, and takes it.
void notifier_tell(struct notifier *notifier, json_t *event);

// Waits until all events have been sent, some ten seconds at most, reports
// those that were not, and ends. Accepts NULL.
void notifier_stop(struct notifier *notifier);

#endif
