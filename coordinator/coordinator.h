// coordinator: the loop, and the parts that it owns.
//
//   inbox      what peers say            peers      who is connected
//   clients    what clients ask, and     delivery   calls that go to workers
//              what they are told
//   jobs       from the request to       landing    answers on their way to the
//              begin one to its end                 disk and to their waiters
//   dispatch   which call goes where     store, background, models, workers
//
// It runs on one thread. Everything else talks to it by messages: workers and
// clients over the ROUTER socket, job threads over their PAIR sockets, the
// store's writer over its notice pipe, and the background threads, which do
// whatever would take the loop too long. One turn of the loop takes at most 100
// ms (turn.h):
//
//   wait -> frames from peers -> answers that are durable -> what the
//        background has done -> running jobs: notes, programs, examples to
//        start -> actions of dispatch (send, cancel, drop, park) ->
//        heartbeats, progress -> wait
//
// `promptcc run` starts it in its own process on an inproc endpoint, together
// with the workers, and is its client. `promptcc coordinator` runs it over TCP.

#ifndef COORDINATOR_COORDINATOR_H
#define COORDINATOR_COORDINATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/last_words.h"

struct bundle;
struct coordinator;

struct coordinator_options {
    const char *listen; // ZeroMQ endpoint
    const char *store;  // path
    const char *keys; // folder (wire/key.h); NULL: connections are in the clear
    // The servers of this process, "URL, URL", for the message that none of
    // them answers. NULL: none. Borrowed until coordinator_stop.
    const char *servers;
    bool other_servers; // some of them are not Ollama
    // What one of these servers last said instead of naming its models, for the
    // same message. Borrowed until coordinator_stop; NULL if nobody records it.
    struct last_words *refusal;
    // The path of promptcc, for SQL of clients (query_child.h). Borrowed until
    // coordinator_stop; NULL: not available.
    const char *program;
    // How long a job may go without an answer before it pauses: until the first
    // answer since it began, and after that one.
    int64_t wait_start_ms;
    int64_t wait_after_ms;
    int64_t call_timeout_ms; // hard limit of one call
    // How long writes to the disk may fail before the jobs pause; -1: forever.
    int64_t disk_patience_ms;
    // The clients are in this process, so their jobs are folders of this
    // machine. The owner knows this of the endpoint; what a peer says about
    // itself never decides it.
    bool local;
    // The history is read but not continued: its jobs keep the state in which
    // they are found.
    bool read_only;
    bool proofs;     // workers prove what they can do when they join (proof.h)
    bool allow_exec; // allow exec metrics in jobs that are not local
};

#define COORDINATOR_DEFAULTS                                                   \
    ((struct coordinator_options){.wait_start_ms = 20000,                      \
                                  .wait_after_ms = 300000,                     \
                                  .call_timeout_ms = 600000,                   \
                                  .disk_patience_ms = -1})

// Opens store and socket and starts the thread. It is listening when start
// returns. zmq is a context, borrowed. ERR_BUSY: the store or the port is in
// use.
struct coordinator *coordinator_start(void *zmq,
                                      const struct coordinator_options *options,
                                      struct err *err);

// Returns the endpoint it listens on, with the actual port if 0 was asked for.
const char *coordinator_endpoint(const struct coordinator *coordinator);

// Returns the endpoint for clients in this process, over the same context.
const char *coordinator_inside(const struct coordinator *coordinator);

// Hands over the files of the next SUBMIT of a client in this process
// (`local`); that SUBMIT then carries none. Takes bundle (handover.h).
void coordinator_hand_over(struct coordinator *coordinator,
                           struct bundle *bundle);

// Returns true once the loop has ended.
bool coordinator_ended(const struct coordinator *coordinator);

// Asks the loop to end (it stops and exports the jobs first), waits until it
// has, and frees it. Accepts NULL.
void coordinator_stop(struct coordinator *coordinator);

#endif
