// coordinator: the loop, and the parts that it owns.
//
//   inbox      what peers say            peers      who is here
//   clients    what clients ask, and     delivery   calls that go to workers
//              what they are told
//   jobs       from the wish to begin    landing    answers on their way to
//              one to its end                       disk and to those who wait
//   dispatch   which call goes where     store, background, models, workers
//
// One thread. Everything else talks to it by messages: workers and clients
// over the ROUTER socket, job threads over their PAIR sockets, the store's
// writer over its notice pipe, and the background, which does for it what would
// take too long. One turn of the loop, which is over within 100 ms (turn.h):
//
//   wait -> frames from peers -> answers that are durable -> what the
//        background did -> running jobs: notes, programs, examples to start
//        -> actions of dispatch (send, cancel, drop, park) -> heartbeats,
//        progress -> wait
//
// `promptcc run` starts it in its own process on an inproc endpoint, with
// workers and itself as the client; `promptcc coordinator` on tcp.

#ifndef COORDINATOR_COORDINATOR_H
#define COORDINATOR_COORDINATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/last_words.h"

struct bundle;
struct coordinator;

struct coordinator_options {
    const char *listen;         // ZeroMQ endpoint
    const char *store;          // path
    const char *keys;           // folder (wire/key.h); NULL: in the clear
    const char *servers;        // "URL, URL": those of its own process, for the
                                // sentence that none answers; NULL: none.
                                // Borrowed until coordinator_stop.
    bool other_servers;         // some of them are no Ollama
    struct last_words *refusal; // what one of these servers said last instead
                                // of naming its models, for the same sentence.
                                // The same; NULL: nobody tells
    const char *program;        // path of promptcc, for SQL of clients
                                // (query_child.h). Borrowed until
                                // coordinator_stop; NULL: there is none
    int64_t wait_start_ms;      // no answer since the start: the job is paused
    int64_t wait_after_ms;      // no answer after there was one: the same
    int64_t call_timeout_ms;    // hard limit of one call
    int64_t disk_patience_ms;   // how long writes to a disk may fail
                                // until the jobs pause; -1: for ever
    bool local;  // its clients are in this process: their jobs are folders
                 // of this machine. A fact about the endpoint that the
                 // owner knows, never what a peer says of itself.
    bool looks;  // a history is read and not gone on with: its jobs keep the
                 // state in which they are found
    bool proofs; // workers show what they can when they join (proof.h)
    bool allow_exec; // exec metrics in jobs that are not local
};

#define COORDINATOR_DEFAULTS                                                   \
    ((struct coordinator_options){.wait_start_ms = 20000,                      \
                                  .wait_after_ms = 300000,                     \
                                  .call_timeout_ms = 600000,                   \
                                  .disk_patience_ms = -1})

// Opens store and socket, then starts the thread: it listens when start
// returns. zmq is a context, borrowed. ERR_BUSY: store or port are in use.
struct coordinator *coordinator_start(void *zmq,
                                      const struct coordinator_options *options,
                                      struct err *err);

// Where it listens: with the port that was picked for 0.
const char *coordinator_endpoint(const struct coordinator *coordinator);

// Where clients of this process reach it, over the same context.
const char *coordinator_inside(const struct coordinator *coordinator);

// For a client in this process (`local`): the files of its next SUBMIT, which
// then has none. Takes bundle (parcel.h).
void coordinator_hand_over(struct coordinator *coordinator,
                           struct bundle *bundle);

// Whether its loop has ended by itself.
bool coordinator_ended(const struct coordinator *coordinator);

// What its loop owns, for tests that look at it between two turns.
struct engine;
struct engine *coordinator_engine(struct coordinator *coordinator);

// Asks it to end (jobs are stopped and exported, then the loop ends), waits
// for the end, and frees. NULL is fine.
void coordinator_stop(struct coordinator *coordinator);

#endif
