// client: talks to a coordinator on behalf of a person.
//
// It has one DEALER socket. The commands run, eval, submit, jobs, show, stop
// and resume all use it, over inproc or tcp.
//
//           HELLO             WELCOME             SUBMIT, ACCEPTED
//   (open) -------> GREETING ---------> WELCOMED -----------------> WATCHING
//                    ^    |         (COMMAND, REPLY)                   |
//                    |    | nobody answers:  |                         | RESULT
//                    '----' it says so once, | 3 s of silence, or      v
//                           and waits        | REFUSED "hello":     (result)
//                                            '--> GREETING
//
// When the coordinator goes away, the client says so, waits for it and submits
// the same job again. The job then joins the one in progress, or is replayed if
// it has finished. The client does the same when a coordinator is too busy
// (client/submission.h). The first signal (common/signals.h) asks the
// coordinator to stop the job, and the client waits for its RESULT. A client
// that `leaves` goes away instead, and the job continues.
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

// What a client reports while it waits. Members may be NULL.
struct client_watch {
    void *user;
    void (*accepted)(void *user, const char *job);
    void (*progress)(void *user, const struct progress *progress);
    void (*say)(void *user, const char *text); // e.g. that the coordinator is
                                               // gone, or back
    void (*tick)(void *user);                  // a few times a second
    // Asked at each tick; true asks for a stop, as a signal does.
    bool (*wants_stop)(void *user);
    // Asked at each tick; true leaves without the result (ERR_FAULT).
    bool (*wants_to_leave)(void *user);
    bool leaves; // a signal leaves (ERR_STOPPED) and stops nothing
};

struct client_result {
    struct arena arena; // owns everything below
    const char *job;
    int64_t status;       // exit status (docs/command-line.md)
    const char *document; // JSON
    const char *compiled; // "" if there is none
    size_t compiled_len;
};

// `zmq` is a context, borrowed. `key` is borrowed during the call; NULL means
// in the clear. patience_ms is how long to wait for the first WELCOME; a
// coordinator that seems to be there, but halted, gets 30 s. ERR_IO: there is
// no coordinator.
struct client *client_open(void *zmq, const char *endpoint,
                           const struct key *key, int64_t patience_ms,
                           struct err *err);
void client_close(struct client *client); // says goodbye; accepts NULL

// How long client_submit waits.
enum client_until {
    CLIENT_UNTIL_ACCEPTED, // then result->job is set and result->document is ""
                           // (a refused job has a result at once). ERR_IO: the
                           // coordinator went away first, and stayed away
    CLIENT_UNTIL_RESULT,
};

// Sends the job and waits. ERR_STOPPED means that a signal came before the job
// was accepted, or that it came to a client that leaves; then result->job is
// set as far as it is known. The caller must release the result in any case.
bool client_submit(struct client *client, const struct submit *submit,
                   enum client_until until, const struct client_watch *watch,
                   struct client_result *result, struct err *err);
void client_result_release(struct client_result *result);

// Sets how long client_command waits for a reply, or for a coordinator that
// went away since the last command, and client_submit for one that went away
// before it accepted the job: 30 s by default.
void client_set_patience(struct client *client, int64_t ms);

// Sends a command. *document is the reply's JSON, which the caller frees. A
// reply that comes after its command was given up is dropped, and never
// mistaken for the answer to the next one.
bool client_command(struct client *client, const char *verb, const char *job,
                    const char *argument, char **document, struct err *err);

#endif
