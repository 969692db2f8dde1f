// notifier: tells others what happens to a job: HTTP hooks (--notify URL) and a
// command (--on-event COMMAND).
//
// A thread of its own, behind a short queue. It can never hold up or break a
// run: an event that finds the queue full takes the place of the last one, a
// hook that does not answer is given up after 10 s, a command is ended after
// 30 s.
//
// Nothing that went wrong is kept quiet, and no hook fills the terminal: the
// first failure of each is said when it happens, and how many there were when
// the job has ended; so is how many events nobody was told of.
//
// An event is one JSON object:
//
//   {"event": "best", "job": "...", "score": 0.84, "low": 0.77, "high": 0.9,
//    "baseline": 0.61, "trial": 12, "calls": 812}
//
// A hook gets it as the body of a POST, a command on its standard input; the
// command also has PROMPTCC_EVENT, PROMPTCC_JOB and PROMPTCC_SCORE set, and
// runs in a shell.

#ifndef CLI_NOTIFIER_H
#define CLI_NOTIFIER_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/options.h"
#include "common/err.h"
#include "wire/message.h"

struct notifier;

// Sets *out to NULL when options ask for none. Start it before signals_accept:
// signals are not for its thread. ERR_INPUT: a URL that is none.
bool notifier_start(struct notifier **out, const struct options *options,
                    struct err *err);

// Tells "best" when the best of a progress is better than any before, and than
// the program as written. notifier may be NULL, here and below.
void notifier_look(struct notifier *notifier, const struct progress *progress);

// Takes the event.
void notifier_tell(struct notifier *notifier, json_t *event);

// Waits until all events were told, at most some ten seconds, says what was
// not, and ends. NULL is fine.
void notifier_stop(struct notifier *notifier);

#endif
