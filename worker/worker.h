// worker: takes calls from a coordinator, asks one model server, reports.
//
// It knows nothing of programs, trials or optimizers. States:
//
//        connect            WELCOME              SIGTERM / worker_drain
//   (start) ---> GREETING -----------> SERVING ------------------> DRAINING
//                   ^  | REFUSED           | no word for 3 s           |
//                   |  v                   v                           v
//                 back-off <------------ GREETING                    (end)
//
// GREETING sends HELLO with a fresh epoch and what model_probe found, again
// and again with back-off, for ever: coordinator and model server may come
// and go. Losing the coordinator cancels the open calls, since their leases
// are gone with it. Losing the model server hands all calls back, says GOODBYE
// and greets again when the server answers. DRAINING hands back what has not
// begun, says GOODBYE ("no more calls"), finishes what has begun, and says
// GOODBYE again, now with nothing open.
//
// Heartbeats leave from a loop that inference cannot block (all HTTP is
// asynchronous). A call's time-out follows the tokens a second measured here:
// load + prompt at measured speed + num_predict at measured speed, times
// four, at least 30 s; at most what CALL carries, and that before anything is
// measured (worker_speed.h).
//
// A guest (guest.h) that has to step back drains as well, but then is apart
// until it may work again. A server that is wedged can be brought back by a
// command of the user's (restart.h). On request (idle_ms) it ends after a while
// without a call, so that nobody pays for an idle machine.

#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/last_words.h"
#include "model/model.h"
#include "wire/key.h"
#include "worker/guest.h"

struct worker;

struct worker_options {
    const char *coordinator; // ZeroMQ endpoint, borrowed during start
    const char *name;        // NULL: host name and process id
    const struct key *key;   // borrowed during start; NULL: in the clear
    struct model_address address;
    const char *digest;      // of the model, where its server names none: NULL,
                             // or borrowed until the worker is stopped
    int64_t idle_ms;         // ends after so long without a call; 0: never
    int64_t look_ms;         // how often it looks whether its server still has
                             // the same models; 0: every 5 s, and every
                             // second while it has calls
    struct guest guest;      // as asked for; zero: it is at home
    const char *restart_cmd; // NULL: none. Borrowed until the worker is stopped
    struct last_words *refusal; // takes what the server says instead of naming
                                // its models. The same; NULL: nobody reads it
};

// The loop in a thread of its own: ready when start returns (not connected
// yet), gone when stop returns. context is a zmq context, borrowed.
struct worker *worker_start(void *context, const struct worker_options *options,
                            struct err *err);

// Asks it to drain; returns at once. Safe from a signal-handling thread.
void worker_drain(struct worker *worker);

// True once a coordinator has welcomed it: it takes calls.
bool worker_serving(const struct worker *worker);

// How it does now, for a probe. Any thread.
struct worker_health {
    bool serving;      // a coordinator has it, and it takes calls
    int64_t turn_ms;   // since its loop last turned
    int64_t answer_ms; // since its server last answered a call; -1: never
    bool server_fails; // the last call, or the last probe, had no answer
};
struct worker_health worker_look(const struct worker *worker);

// True once it has drained or ended by failure.
bool worker_ended(const struct worker *worker);

// Drains, waits for its end and frees it. NULL is fine.
void worker_stop(struct worker *worker);

#endif
