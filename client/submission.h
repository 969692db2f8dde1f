// submission: a job that a client sends and watches, until its RESULT.
//
// A connection may break, or lose what was on its way while both ends live on.
// So a job is sent as often as it takes: the coordinator has it join the one
// that is under way, or replays a finished one.
//
//             sent             ACCEPTED, PROGRESS
//   DUE ------------> SENT ------------------------> ACCEPTED
//    ^                 |                                |
//    |  RESULT "busy": | after a pause                  | RESULT
//    |<----------------'                                v
//    |  the connection is gone; or no news for too   (taken by
//    '--long; or the coordinator knows of no job      the client)
//
// Knows neither socket nor clock: the client sends what is due, and says when.
// All times are clock_monotonic_ms().

#ifndef CLIENT_SUBMISSION_H
#define CLIENT_SUBMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "wire/message.h"

struct submission {
    const struct submit *submit;      // borrowed; NULL: no job is watched
    const struct client_watch *watch; // borrowed; may be NULL
    char job[256];                    // its id; "" until it was accepted once
    bool sent;                        // in this connection, and not lost since
    bool accepted;                    // since it was sent
    int64_t news_ms;                  // when it was sent or last heard of
    int64_t busy_ms;                  // refused as busy since then; 0: not
    int64_t pause_ms;                 // until it is sent again
    int64_t again_ms;                 // not to be sent before
    bool stopping;                    // a stop was asked for
    bool stop_sent;                   // in this connection
};

// submit and watch outlive the submission.
struct submission submission_of(const struct submit *submit,
                                const struct client_watch *watch);

bool submission_is_due(const struct submission *submission, int64_t now);
void submission_was_sent(struct submission *submission, int64_t now);

// It is to be sent once more, and so is a stop that was asked for.
void submission_was_lost(struct submission *submission);

// Nothing was heard of it for longer than a coordinator takes to tell.
bool submission_is_overdue(const struct submission *submission, int64_t now);

// The coordinator says that it has no job of this client. True where it has had
// the time to read what was sent.
bool submission_is_unknown(const struct submission *submission, int64_t now);

// The note is said the first time.
void submission_accepted(struct submission *submission,
                         const struct accepted *accepted, int64_t now);
void submission_progressed(struct submission *submission,
                           const struct progress *progress, int64_t now);

// Whether result says that too much is asked of the coordinator at once, and
// the job is to be sent again instead of taking no for an answer: for two
// minutes if it was never accepted, else for as long as it takes, since its
// coordinator came back, and everybody's clients with it. Said once.
bool submission_goes_again(struct submission *submission,
                           const struct result *result, int64_t now);

// Whether a STOP is to be sent; it is said when one is asked for. Once it went
// out, stop_sent is the client's to set.
bool submission_wants_stop(struct submission *submission);

// A signal is to stop the job, not only to end the wait for it.
bool submission_is_stopped_by_signals(const struct submission *submission);

void submission_say(const struct submission *submission, const char *text);
void submission_tick(const struct submission *submission);
bool submission_wants_to_leave(const struct submission *submission);

#endif
