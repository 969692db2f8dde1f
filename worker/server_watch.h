// server_watch: what a worker knows of its model server, and how it finds out
// that this has changed.
//
// While there are calls, they show whether the server is there. What they do
// not show is that somebody pulled another model under the old name, whose
// answers would count as the old one's, or a new one that a job waits for. A
// worker without calls would not notice anything at all. So the server is
// looked at every few seconds:
//
//   server_watch_meet             what is there, before a greeting
//        |
//   server_watch_look ---> AS_IT_WAS
//                    '---> GONE       (only without calls)
//                    '---> CHANGED    models came or went
//                    '---> EXCHANGED  a name stands for another model now
//
// A look costs the server nothing; one that is slow to answer is left in peace
// for longer. The worker's loop waits for HTTP meanwhile, for less than its
// coordinator's patience.
//
// A second is long enough for answers of the other model. But a server has to
// load what it has not used yet, and says how long that took. So an answer for
// which something was loaded is held until server_watch_exchanged has looked.
// (A look for each answer was rejected: a look takes as long as a short call.)
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
    SERVER_AS_IT_WAS, // or it is not time for a look
    SERVER_GONE,
    SERVER_CHANGED,
    SERVER_EXCHANGED,
};

struct server_watch_options {
    struct model_client *client; // these are all borrowed
    const char *worker;          // its name, for the log
    const char *url;
    const char *digest;         // of models whose server names none, or NULL
    struct last_words *refusal; // takes what the server says instead of naming
                                // its models; NULL: nobody reads it
    int64_t look_ms; // between two looks; 0: 1 s with calls, else 5 s
};

// NULL without memory.
struct server_watch *
server_watch_new(const struct server_watch_options *options, struct err *err);
void server_watch_free(struct server_watch *watch); // NULL is fine

// Asks the server what it is and has. False: it does not answer; the log says
// so once, until it does.
bool server_watch_meet(struct server_watch *watch);

// What it was and had when it was last met, or taken. Borrowed.
const struct model_server *
server_watch_server(const struct server_watch *watch);

// Looks, if it is time to. CHANGED: what is there now is moved to found, which
// the caller releases or gives to server_watch_take.
enum server_news server_watch_look(struct server_watch *watch, bool has_calls,
                                   int64_t now_ms, struct model_server *found);
void server_watch_take(struct server_watch *watch, struct model_server *found);

// A call took too long. Whether the server answers at all.
bool server_watch_answers(struct server_watch *watch);

// Whether the server lists a model although it said that it does not have it,
// as it may while the model is being fetched anew.
bool server_watch_lists(struct server_watch *watch, const char *model);

// Whether a call means another model than the one of that name here.
bool server_watch_differs(const struct server_watch *watch,
                          const struct call_message *call);

// The call has its answer, for which the server loaded a model for load_us.
// Whether that was another one of the name: what the server has now under it is
// not what the call means.
bool server_watch_exchanged(struct server_watch *watch,
                            const struct call_message *call, int64_t load_us);

// A call was answered, failed, or failed because the server lacks the model.
// After the last one, an idle worker looks more often until the next answer.
void server_watch_answered(struct server_watch *watch);
void server_watch_failed(struct server_watch *watch);
void server_watch_lacks_model(struct server_watch *watch);

// A new coordinator is there: the next look comes soon.
void server_watch_hurry(struct server_watch *watch);

// For how long the server has not answered; -1: it does.
int64_t server_watch_away_ms(const struct server_watch *watch, int64_t now_ms);

// What a HELLO says of it; out has room for WIRE_MAX_MODELS.
void server_watch_describe(const struct server_watch *watch,
                           const struct model_server *server,
                           struct wire_model *out, struct hello *hello);

// Whether it did not answer, or failed a call, when it was last asked. From any
// thread.
bool server_watch_fails(const struct server_watch *watch);

#endif
