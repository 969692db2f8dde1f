// worker: takes calls from a coordinator, asks one model server, and reports.
//
// It knows nothing about programs, trials or optimizers. Its states:
//
//        connect            WELCOME              SIGTERM / worker_drain
//   (start) ---> GREETING -----------> SERVING ------------------> DRAINING
//                   ^  | REFUSED           | no word for 15 s          |
//                   |  v                   v                           v
//                 back-off <------------ GREETING                    (end)
//
// GREETING sends HELLO with a fresh epoch and what model_probe found, again and
// again with back-off, for ever: coordinator and model server may come and go.
// When the coordinator is lost, the leases are gone with it: calls that still
// wait are dropped, and open ones are kept for the next coordinator (held.h).
// When the model server is lost, the worker hands all calls back, says GOODBYE
// and greets again when the server answers. DRAINING hands back what has not
// begun, says GOODBYE ("no more calls"), finishes what has begun, and says
// GOODBYE again, now with nothing open.
//
// Heartbeats are sent from a loop that inference cannot block (all HTTP is
// asynchronous). A call's timeout follows the tokens per second measured here:
// load + prompt at the measured speed + num_predict at the measured speed,
// times four, at least 30 s. It is at most what CALL carries, which is also
// used before anything is measured (worker_speed.h).
//
// A guest (guest.h) that has to step back drains as well, but is then apart
// until it may work again. A wedged server can be brought back by a command of
// the user's (restart.h). On request (idle_ms) the worker ends after a while
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
    const char *digest;      // of the model, if its server names none; may be
                             // NULL. Borrowed until the worker is stopped
    int64_t idle_ms;         // ends after this long without a call; 0: never
    int64_t look_ms;         // how often to check that the server still has the
                             // same models; 0: every 5 s, and every second
                             // while there are calls
    struct guest guest;      // the user's settings; zero: not a guest
    const char *restart_cmd; // or NULL. Borrowed until the worker is stopped
    struct last_words *refusal; // takes what the server says instead of naming
                                // its models; may be NULL. Borrowed likewise
};

// Runs the loop in a thread of its own. It is ready when worker_start returns
// (but not connected yet), and gone when worker_stop returns. `context` is a
// zmq context, borrowed.
struct worker *worker_start(void *context, const struct worker_options *options,
                            struct err *err);

// Asks the worker to drain, and returns at once. Safe from a signal-handling
// thread.
void worker_drain(struct worker *worker);

// Returns true once a coordinator has welcomed the worker, so it takes calls.
bool worker_serving(const struct worker *worker);

// How the worker is doing now, for a probe. Any thread may ask.
struct worker_health {
    bool serving;      // a coordinator has welcomed it, and it takes calls
    int64_t turn_ms;   // since the last turn of its loop
    int64_t answer_ms; // since its server last answered a call; -1: never
    bool server_fails; // the last call, or the last probe, had no answer
};
struct worker_health worker_get_health(const struct worker *worker);

// Returns true once the worker has drained or ended by failure.
bool worker_ended(const struct worker *worker);

// Drains, waits for the worker's end and frees it. Accepts NULL.
void worker_stop(struct worker *worker);

#endif
