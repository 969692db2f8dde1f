// client: what talks to a coordinator on behalf of a person.
//
// One DEALER socket; run, eval and submit, jobs, show, stop and resume are all
// this client, over inproc or tcp.
//
//           HELLO             WELCOME             SUBMIT, ACCEPTED
//   (open) -------> GREETING ---------> AT HOME ------------------> WATCHING
//                    ^    |         (COMMAND, REPLY)                   |
//                    |    | nobody answers:  |                         | RESULT
//                    '----' said once, and   | 3 s without a word, or  v
//                           waited for       | REFUSED "hello":     (result)
//                                            '--> GREETING
//
// When the coordinator goes away, the client says so, waits for it and submits
// the same job again, which joins the one under way or replays a finished one.
// So it does when one is busy with too much at once (client/submission.h).
// The first signal (common/signals.h) asks the coordinator to stop the job, and
// its RESULT is waited for; a client that `leaves` goes away instead, and the
// job goes on.
//
// One owner, one thread. A call blocks until it is answered.

#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "wire/key.h"
#include "wire/message.h"

struct client;

// What a client tells while it waits. Members may be NULL.
struct client_watch {
    void *user;
    void (*accepted)(void *user, const char *job);
    void (*progress)(void *user, const struct progress *progress);
    void (*say)(void *user, const char *text); // the coordinator is gone, back
    void (*tick)(void *user);                  // a few times a second
    // Asked at each tick: true asks for a stop, as a signal does.
    bool (*wants_stop)(void *user);
    // The same; true goes away without the result (ERR_FAULT).
    bool (*wants_to_leave)(void *user);
    bool leaves; // a signal goes away (ERR_STOPPED) and stops nothing
};

struct client_result {
    struct arena arena; // owns all below
    const char *job;
    int64_t status;       // exit status (docs/command-line.md)
    const char *document; // JSON
    const char *compiled; // "" when there is none
    size_t compiled_len;
};

// zmq is a context, borrowed. key is borrowed during the call; NULL: in the
// clear. patience_ms is how long to wait for the first WELCOME. ERR_IO: there
// is no coordinator.
struct client *client_open(void *zmq, const char *endpoint,
                           const struct key *key, int64_t patience_ms,
                           struct err *err);
void client_close(struct client *client); // says goodbye; NULL is fine

// Sends the job. wait: until its RESULT; else until it is accepted, and then
// result->job is set and result->document is "" (a job that is refused has a
// result at once). ERR_STOPPED: a signal came before the job was accepted, or
// to a client that leaves; result->job is then set as far as it is known.
// result is to be released in any case.
bool client_submit(struct client *client, const struct submit *submit,
                   bool wait, const struct client_watch *watch,
                   struct client_result *result, struct err *err);
void client_result_release(struct client_result *result);

// Sets how long client_command waits for a reply; 20 s unless this is called.
void client_set_patience(struct client *client, int64_t ms);

// Asks for something; *document is the reply's JSON, which the caller frees. A
// reply that comes after its question was given up is dropped, and never taken
// for the answer to the next one.
bool client_command(struct client *client, const char *verb, const char *job,
                    const char *argument, char **document, struct err *err);

#endif
