// submission: a job that a client sends and watches, until its RESULT.
//
// A connection may break, or lose messages on the way, while both ends live on.
// So a job is sent as often as it takes: the coordinator lets it join the one
// in progress, or replays a finished one.
//
//             sent             ACCEPTED, PROGRESS
//   DUE ------------> SENT ------------------------> ACCEPTED
//    ^                 |                                |
//    |  RESULT "busy": | after a pause                  | RESULT
//    |<----------------'                                v
//    |  the connection is gone; no news for too      (taken by
//    '--long; or the coordinator knows of no job      the client)
//
// It knows neither socket nor clock: the client sends what is due, and passes
// in the time. All times are clock_monotonic_ms().

#ifndef CLIENT_SUBMISSION_H
#define CLIENT_SUBMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "wire/message.h"

struct submission {
    const struct submit *submit;      // borrowed; NULL: no job is watched
    const struct client_watch *watch; // borrowed; may be NULL
    char job[256];                    // its id; "" until it was first accepted
    bool sent;                        // over this connection, and not lost
    bool accepted;                    // since it was sent
    int64_t news_ms;                  // when it was sent, or last heard about
    int64_t busy_ms;                  // when it was first refused as busy; 0:
                                      // it was not
    int64_t pause_ms;                 // before it is sent again
    int64_t again_ms;                 // it must not be sent before this
    bool stopping;                    // a stop was requested
    bool stop_sent;                   // over this connection
    int stop_refusals;                // in a row
    int64_t stop_again_ms;            // it must not be sent before this
};

// submit and watch must outlive the submission.
struct submission submission_of(const struct submit *submit,
                                const struct client_watch *watch);

bool submission_is_due(const struct submission *submission, int64_t now);
void submission_was_sent(struct submission *submission, int64_t now);

// The submission must be sent once more, and so must a stop that was requested.
void submission_was_lost(struct submission *submission);

// Returns true if nothing was heard about it for longer than a coordinator
// takes to report.
bool submission_is_overdue(const struct submission *submission, int64_t now);

// The coordinator says that it has no job of this client. Returns true if it
// has had the time to read what was sent.
bool submission_is_unknown(const struct submission *submission, int64_t now);

// The note is passed on the first time.
void submission_accepted(struct submission *submission,
                         const struct accepted *accepted, int64_t now);
void submission_progressed(struct submission *submission,
                           const struct progress *progress, int64_t now);

// Returns true if the result says that the coordinator is too busy, so the job
// should be sent again instead of taking no for an answer. That lasts for two
// minutes if the job was never accepted, and otherwise for as long as it takes,
// because then the coordinator has just come back, and so have all its clients.
// The client is told once.
bool submission_should_retry(struct submission *submission,
                             const struct result *result, int64_t now);

// Returns true if a STOP should be sent; tells the client when one is first
// requested. Once it is sent, the client must set stop_sent.
bool submission_wants_stop(struct submission *submission, int64_t now);

// Takes the REPLY to the STOP. If the coordinator could not do it, the STOP is
// sent again in a moment, and the client learns why if that fails too.
void submission_stop_answered(struct submission *submission,
                              const char *document, int64_t now);

// Returns true if a signal should stop the job, and not only end the wait for
// it.
bool submission_is_stopped_by_signals(const struct submission *submission);

void submission_say(const struct submission *submission, const char *text);
void submission_tick(const struct submission *submission);
bool submission_wants_to_leave(const struct submission *submission);

#endif
