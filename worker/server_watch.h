// server_watch: what a worker knows about its model server, and its changes.
//
// While there are calls, they show whether the server is up. They do not show
// that somebody pulled another model under the old name, whose answers would
// count as the old model's, or that somebody pulled a new one that a job is
// waiting for. And a worker without calls would not notice anything at all. So
// the worker looks at the server every few seconds:
//
//   server_watch_probe            what the server has, before a greeting
//        |
//   server_watch_look ---> UNCHANGED
//                    '---> GONE       (only without calls)
//                    '---> CHANGED    models came or went
//                    '---> EXCHANGED  a name stands for another model now
//
// A look costs the server nothing, and a server that is slow to answer is
// looked at less often. The worker's loop waits for HTTP during a look, but for
// less time than its coordinator's patience.
//
// A second is long enough for the other model to give answers. But a server has
// to load a model that it has not used yet, and it reports how long that took.
// So an answer for which something was loaded is held back until
// server_watch_exchanged has looked. (Looking after each answer was rejected,
// because a look takes as long as a short call.)
//
// One owner, one thread, except for server_watch_fails.

#ifndef WORKER_SERVER_WATCH_H
#define WORKER_SERVER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/last_words.h"
#include "model/model.h"
#include "wire/message.h"

struct server_watch;

enum server_news {
    SERVER_UNCHANGED, // or it is too early for a look
    SERVER_GONE,
    SERVER_CHANGED,
    SERVER_EXCHANGED,
};

struct server_watch_options {
    struct model_client *client; // this and the other pointers are borrowed
    const char *worker;          // its name, for the log
    const char *url;
    const char *digest; // of the model, if its server names none; or NULL
    struct last_words *refusal; // takes what the server says instead of naming
                                // its models; may be NULL
    int64_t look_ms; // between looks; 0: 1 s with calls, otherwise 5 s
};

// Returns NULL when out of memory.
struct server_watch *
server_watch_new(const struct server_watch_options *options, struct err *err);
void server_watch_free(struct server_watch *watch); // accepts NULL

// Asks the server what it is and which models it has. Returns false if it does
// not answer, which the log says once until it answers again.
bool server_watch_probe(struct server_watch *watch);

// Returns what the server was and had when it was last probed, or taken.
// Borrowed.
const struct model_server *
server_watch_server(const struct server_watch *watch);

// Looks, if it is time to. For CHANGED, what the server has now is moved to
// `found`, which the caller releases or passes to server_watch_take.
enum server_news server_watch_look(struct server_watch *watch, bool has_calls,
                                   int64_t now_ms, struct model_server *found);
void server_watch_take(struct server_watch *watch, struct model_server *found);

// For when a call took too long: returns true if the server answers at all.
bool server_watch_answers(struct server_watch *watch);

// Returns true if the server lists a model although it said that it does not
// have it, as it may while the model is being fetched again.
bool server_watch_lists(struct server_watch *watch, const char *model);

// Returns true if the call was meant for a different model than the one this
// server has under that name.
bool server_watch_differs(const struct server_watch *watch,
                          const struct call_message *call);

// The call has its answer, for which the server loaded a model for load_us.
// Returns true if that was a different model under the same name, so what the
// server has under that name now is not what the call means.
bool server_watch_exchanged(struct server_watch *watch,
                            const struct call_message *call, int64_t load_us);

// A call was answered, failed, or failed because the server lacks the model.
// After the last of these, an idle worker looks more often until the next
// answer.
void server_watch_answered(struct server_watch *watch);
void server_watch_failed(struct server_watch *watch);
void server_watch_lacks_model(struct server_watch *watch);

// There is a new coordinator: the next look comes soon.
void server_watch_look_soon(struct server_watch *watch);

// Returns for how long the server has not answered; -1 if it answers.
int64_t server_watch_away_ms(const struct server_watch *watch, int64_t now_ms);

// Fills in what a HELLO says about the server; `out` has room for
// WIRE_MAX_MODELS.
void server_watch_describe(const struct server_watch *watch,
                           const struct model_server *server,
                           struct wire_model *out, struct hello *hello);

// Returns true if the server did not answer, or failed a call, when it was last
// asked. Any thread may call this.
bool server_watch_fails(const struct server_watch *watch);

#endif
