#include "client/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>
#include <zmq.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/json.h"
#include "common/signals.h"
#include "common/text.h"
#include "wire/endpoint.h"
#include "wire/socket.h"

enum {
    TICK_MS = 100,
    HELLO_MS = 500, // between two greetings
    SILENCE_MS = WIRE_HEARTBEAT_MS * WIRE_LIVENESS,
    COMMAND_MS = 20000, // patience for a REPLY, unless one says otherwise
    // A connection that broke and came back may have lost what was on its way,
    // and both sides live on. So the job is sent again when nothing is heard of
    // it: a coordinator tells of a job four times a second once it has read it,
    // and says in answer to a heartbeat if it knows nothing of any. An older
    // one does not, and may be reading for long.
    READING_MS = 120000, // of a submission, at most
    NEWS_MS = 10000,
    UNKNOWN_MS = 2000, // after what was sent or heard of the job last
    // A coordinator that is busy is asked again, ever more seldom, and not by
    // all clients at once. Where no room comes, a person decides what to do.
    BUSY_FIRST_MS = 500,
    BUSY_PAUSE_MS = 8000,
    BUSY_MOST_MS = 120000, // for a job that it has never accepted
    BUSY_STATUS = 2,       // of a job that did not begin
    BUSY_BYTES = 1 << 16,  // of the document that says so
    ID_BYTES = 16,
};

struct client {
    void *zmq; // borrowed
    char *endpoint;
    struct key key;             // wiped at the end; KEY_NONE in the clear
    struct wire_socket *socket; // NULL between two greetings
    struct arena arena;         // of the message at hand
    int64_t epoch;
    int64_t patience_ms;
    int64_t reply_ms; // of a command
    int unanswered;   // commands of this connection whose REPLY has not come
    bool remote;      // the coordinator is in another process
    bool home;        // WELCOME came
    bool was_home;    // ever
    bool told;        // that the coordinator is gone
    int64_t hello_ms; // when HELLO was sent
    int64_t heard_ms;
    int64_t beat_ms;
    // the job that is watched
    const struct submit *submit;      // NULL: none
    const struct client_watch *watch; // may be NULL
    bool submitted;                   // in this connection
    bool accepted;                    // since then
    int64_t news_ms;                  // of the job, or when it was sent
    int64_t busy_ms;                  // refused as busy since then; 0: not
    int64_t pause_ms;                 // until it is sent again
    int64_t again_ms;                 // not to be sent before
    char job[256];                    // "" until it was accepted
    bool stopping;                    // stop was asked for
    bool stop_sent;                   // in this connection
};

// --- the connection ---

static bool open_socket(struct client *client, struct err *err)
{
    struct wire_id id = {.len = ID_BYTES};

    randombytes_buf(id.bytes, ID_BYTES);
    id.bytes[0] = 'c'; // ZeroMQ's own identities begin with 0
    client->epoch = (int64_t)randombytes_random();
    client->socket =
        wire_connect(client->zmq, client->endpoint, &client->key, &id, err);
    return client->socket != NULL;
}

static bool send_hello(struct client *client)
{
    char name[64];
    struct message hello = {
        .kind = MESSAGE_HELLO,
        .as.hello = {.version = WIRE_VERSION,
                     .role = PEER_CLIENT,
                     .name = name,
                     .epoch = client->epoch,
                     .software = "promptcc " PROMPTCC_VERSION}};

    (void)snprintf(name, sizeof name, "client-%ld", (long)getpid());
    return wire_send(client->socket, NULL, &hello, NULL);
}

static void say(const struct client *client, const char *text)
{
    if (client->watch != NULL && client->watch->say != NULL)
        client->watch->say(client->watch->user, text);
}

// Greets again, on a new socket, so that nothing old can arrive.
static bool reopen(struct client *client, struct err *err)
{
    client->home = client->submitted = client->stop_sent = false;
    client->hello_ms = 0;
    client->unanswered = 0;
    wire_close(client->socket);
    client->socket = NULL;
    return open_socket(client, err);
}

static bool leave_home(struct client *client, struct err *err)
{
    char text[300];

    if (client->home && !client->told) {
        (void)text_print(text, sizeof text,
                         "the coordinator at %.200s is gone; waiting for it",
                         client->endpoint);
        say(client, text);
        client->told = true;
    }
    return reopen(client, err);
}

static void greet(struct client *client, int64_t now)
{
    if (client->home || now - client->hello_ms < HELLO_MS)
        return;
    if (send_hello(client))
        client->hello_ms = now;
    else
        client->hello_ms = now - HELLO_MS + TICK_MS; // no connection yet
}

static void beat(struct client *client, int64_t now)
{
    struct message message = {.kind = MESSAGE_HEARTBEAT,
                              .as.heartbeat = {.waits = client->submitted}};

    if (!client->home || now - client->beat_ms < WIRE_HEARTBEAT_MS)
        return;
    client->beat_ms = now;
    (void)wire_send(client->socket, NULL, &message, NULL);
}

static void arrive(struct client *client)
{
    if (client->told)
        say(client, "the coordinator is back");
    client->home = client->was_home = true;
    client->told = false;
}

static bool send_command(struct client *client, const char *verb,
                         const char *job, const char *argument, struct err *err)
{
    struct message message = {
        .kind = MESSAGE_COMMAND,
        .as.command = {.verb = verb, .job = job, .argument = argument}};

    if (!wire_send(client->socket, NULL, &message, err))
        return false;
    client->unanswered++;
    return true;
}

// --- the job ---

// What cannot be sent now goes in another turn; false with what never can.
static bool send_job(struct client *client, int64_t now, struct err *err)
{
    struct message message = {.kind = MESSAGE_SUBMIT};
    struct err why = ERR_CLEAR;

    if (client->submit == NULL || client->submitted || !client->home ||
        now < client->again_ms)
        return true;
    message.as.submit = *client->submit;
    client->submitted = wire_send(client->socket, NULL, &message, &why);
    client->accepted = false;
    client->news_ms = now;
    if (client->submitted || why.code == ERR_BUSY || why.code == ERR_IO)
        return true;
    *err = why;
    return false;
}

// What was sent, or what was to tell of it, is lost: it is sent once more, and
// joins the job that is there already. Inside a process nothing is lost, and
// what was handed over there could not be sent again.
static void send_again_after(struct client *client, int64_t patience_ms,
                             int64_t now)
{
    if (client->remote && client->submitted &&
        now - client->news_ms > patience_ms)
        client->submitted = client->stop_sent = false;
}

static void check_news(struct client *client, int64_t now)
{
    send_again_after(client, client->accepted ? NEWS_MS : READING_MS, now);
}

static bool asked_to_stop(const struct client *client)
{
    const struct client_watch *watch = client->watch;

    return signals_came() || (watch != NULL && watch->wants_stop != NULL &&
                              watch->wants_stop(watch->user));
}

static bool leaves(const struct client *client)
{
    return client->watch != NULL && client->watch->leaves;
}

static void send_stop(struct client *client)
{
    if (client->submit == NULL || client->stop_sent || leaves(client))
        return;
    if (!client->stopping && asked_to_stop(client)) {
        client->stopping = true;
        say(client, "stopping: the best so far is saved; a second Ctrl-C "
                    "leaves at once");
    }
    if (client->stopping && client->home && client->job[0] != '\0')
        client->stop_sent = send_command(client, "stop", client->job, "", NULL);
}

// --- what comes ---

static bool copy_result(const struct result *from, struct client_result *out,
                        struct err *err)
{
    out->status = from->status;
    out->job = arena_strdup(&out->arena, from->job);
    out->document = arena_strdup(&out->arena, from->document);
    out->compiled = arena_strdup(&out->arena, from->compiled);
    if (out->job == NULL || out->document == NULL || out->compiled == NULL) {
        err_nomem(err, "the result");
        return false;
    }
    out->compiled_len = strlen(out->compiled);
    return true;
}

static bool on_refused(struct client *client, const struct refused *refused,
                       struct err *err)
{
    if (strcmp(refused->code, "hello") == 0)
        return leave_home(client, err);
    err_set(err, ERR_PROTOCOL, "the coordinator at %.100s refused: %s",
            client->endpoint, refused->text);
    return false;
}

static void on_accepted(struct client *client, const char *job)
{
    bool first = client->job[0] == '\0';

    client->accepted = true;
    client->busy_ms = 0;
    client->news_ms = client->heard_ms;
    (void)text_print(client->job, sizeof client->job, "%s", job);
    if (first && client->watch != NULL && client->watch->accepted != NULL)
        client->watch->accepted(client->watch->user, client->job);
}

static void on_progress(struct client *client, const struct progress *progress)
{
    if (!client->accepted) // or ACCEPTED was lost
        on_accepted(client, progress->job);
    client->news_ms = client->heard_ms;
    if (client->watch != NULL && client->watch->progress != NULL)
        client->watch->progress(client->watch->user, progress);
}

// Whether the job did not begin because too much is asked at once; text is then
// the coordinator's sentence, cut to size.
static bool is_busy(const struct result *result, char *text, size_t size)
{
    struct err bad = ERR_CLEAR;
    json_t *document, *error;
    bool busy;

    if (result->status != BUSY_STATUS)
        return false;
    document = json_parse(result->document, strlen(result->document),
                          BUSY_BYTES, &bad);
    error = json_object_get(document, "error");
    busy =
        strcmp(json_get_text(error, "code", ""), err_code_name(ERR_BUSY)) == 0;
    if (busy)
        (void)text_print(text, size, "%s", json_get_text(error, "text", ""));
    json_decref(document);
    return busy;
}

// Told once, however often it is sent again. What the sentence says behind its
// colon is for a person to do, and is done here.
static void begin_waiting(struct client *client, const char *why)
{
    char text[300];

    client->busy_ms = client->heard_ms;
    client->pause_ms = BUSY_FIRST_MS;
    (void)text_print(text, sizeof text,
                     "%.*s; the job is sent again until it is taken",
                     (int)strcspn(why, ":"), why);
    say(client, text);
}

// Whether the job is sent again instead of taking no for an answer. One that
// was accepted before is waited for as long as it takes: its coordinator came
// back, and everybody's clients with it.
static bool sends_later(struct client *client, const struct result *result)
{
    char why[sizeof((struct err *)NULL)->text];

    if (!client->remote || !is_busy(result, why, sizeof why))
        return false;
    if (client->busy_ms == 0)
        begin_waiting(client, why);
    else if (client->job[0] == '\0' &&
             client->heard_ms - client->busy_ms > BUSY_MOST_MS)
        return false;
    client->again_ms = client->heard_ms + client->pause_ms +
                       (int64_t)randombytes_uniform((uint32_t)client->pause_ms);
    if (client->pause_ms < BUSY_PAUSE_MS)
        client->pause_ms *= 2;
    client->submitted = client->stop_sent = false;
    return true;
}

// What the waiting function is after. Either may be NULL.
struct wish {
    struct client_result *result;
    char **reply;
    bool accepted; // ACCEPTED is enough
    bool fulfilled;
};

static bool take_reply(struct wish *wish, const struct reply *reply,
                       struct err *err)
{
    if (wish->reply == NULL)
        return true;
    *wish->reply = strdup(reply->document);
    wish->fulfilled = true;
    if (*wish->reply == NULL)
        err_nomem(err, "a reply");
    return *wish->reply != NULL;
}

static bool take_message(struct client *client, const struct message *message,
                         struct wish *wish, struct err *err)
{
    switch (message->kind) {
    case MESSAGE_WELCOME:
        arrive(client);
        return true;
    case MESSAGE_REFUSED:
        return on_refused(client, &message->as.refused, err);
    case MESSAGE_ACCEPTED:
        on_accepted(client, message->as.accepted.job);
        wish->fulfilled = wish->fulfilled || wish->accepted;
        return true;
    case MESSAGE_PROGRESS:
        on_progress(client, &message->as.progress);
        return true;
    case MESSAGE_RESULT:
        if (wish->result == NULL || sends_later(client, &message->as.result))
            return true;
        wish->fulfilled = true;
        return copy_result(&message->as.result, wish->result, err);
    case MESSAGE_REPLY:
        client->unanswered--;
        return take_reply(wish, &message->as.reply, err);
    case MESSAGE_HEARTBEAT:
        if (message->as.heartbeat.unknown != 0)
            send_again_after(client, UNKNOWN_MS, client->heard_ms);
        return true;
    default:
        return true; // a later version's
    }
}

static bool receive_all(struct client *client, struct wish *wish, int64_t now,
                        struct err *err)
{
    while (!wish->fulfilled && client->socket != NULL) {
        struct message message;
        struct err bad = ERR_CLEAR;
        enum wire_got got =
            wire_receive(client->socket, NULL, &client->arena, &message, &bad);
        bool ok = true;

        if (got == WIRE_NOTHING)
            break;
        if (got == WIRE_FAILED) {
            *err = bad;
            return false;
        }
        client->heard_ms = now;
        if (got == WIRE_MESSAGE)
            ok = take_message(client, &message, wish, err);
        arena_release(&client->arena);
        if (!ok)
            return false;
    }
    return true;
}

static void wait_for_events(struct client *client)
{
    zmq_pollitem_t items[2] = {
        {.socket = wire_handle(client->socket), .events = ZMQ_POLLIN},
        {.fd = signals_fd(), .events = ZMQ_POLLIN},
    };
    // A signal that has come keeps its descriptor readable.
    bool listen = signals_fd() >= 0 && !signals_came();

    (void)zmq_poll(items, listen ? 2 : 1, TICK_MS);
}

static void tell_nobody(const struct client *client, struct err *err)
{
    char reason[ENDPOINT_REASON_BYTES] = "";

    if (client->remote)
        endpoint_explain(client->endpoint, reason);
    err_set(err, ERR_IO,
            "no coordinator answers at %.70s%s: start one with `promptcc "
            "coordinator --listen ...`, or check --coordinator",
            client->endpoint, reason);
}

static bool check_silence(struct client *client, int64_t began, int64_t now,
                          struct err *err)
{
    // A coordinator in this process cannot go away, only be busy for long.
    if (client->remote && client->home && now - client->heard_ms > SILENCE_MS)
        return leave_home(client, err);
    if (client->home || now - (client->was_home ? client->heard_ms : began) <
                            client->patience_ms)
        return true;
    client->heard_ms = now; // not to ask at every turn
    if (client->remote &&
        wire_explain(client->zmq, client->endpoint, &client->key, err))
        return false; // a door that is closed does not open by itself
    if (client->was_home)
        return true;
    tell_nobody(client, err);
    return false;
}

// Ends the wait on a signal when the client only watches, or when there is no
// job to stop or no coordinator to tell.
static bool check_signal(const struct client *client, struct err *err)
{
    bool stops = client->home && client->submit != NULL && !leaves(client);

    if (!signals_came() || stops)
        return true;
    err_set(err, ERR_STOPPED, "interrupted%s",
            client->submit == NULL || client->job[0] == '\0'
                ? ""
                : ", and left the job as it is");
    return false;
}

static bool check_patience(const struct client *client, struct err *err)
{
    const struct client_watch *watch = client->watch;

    if (watch == NULL || watch->wants_to_leave == NULL ||
        !watch->wants_to_leave(watch->user))
        return true;
    err_set(err, ERR_FAULT,
            "the coordinator was silent for longer than --wait allows; the job "
            "goes on");
    return false;
}

static void tick(const struct client *client)
{
    if (client->watch != NULL && client->watch->tick != NULL)
        client->watch->tick(client->watch->user);
}

// One turn of waiting.
static bool turn(struct client *client, struct wish *wish, int64_t began,
                 struct err *err)
{
    int64_t now = clock_monotonic_ms();

    greet(client, now);
    check_news(client, now);
    if (!send_job(client, now, err))
        return false;
    send_stop(client);
    beat(client, now);
    wait_for_events(client);
    now = clock_monotonic_ms();
    if (!receive_all(client, wish, now, err))
        return false;
    tick(client);
    return wish->fulfilled ||
           (check_silence(client, began, now, err) &&
            check_signal(client, err) && check_patience(client, err));
}

static bool wait_for(struct client *client, struct wish *wish, int64_t most_ms,
                     struct err *err)
{
    int64_t began = clock_monotonic_ms();

    while (!wish->fulfilled) {
        if (!turn(client, wish, began, err))
            return false;
        if (most_ms > 0 && clock_monotonic_ms() - began > most_ms) {
            err_set(err, ERR_IO, "the coordinator at %.120s did not answer",
                    client->endpoint);
            return false;
        }
    }
    return true;
}

// --- outside ---

struct client *client_open(void *zmq, const char *endpoint,
                           const struct key *key, int64_t patience_ms,
                           struct err *err)
{
    struct client *client = calloc(1, sizeof *client);

    if (client != NULL)
        client->endpoint = strdup(endpoint);
    if (client == NULL || client->endpoint == NULL) {
        free(client);
        err_nomem(err, "a client");
        return NULL;
    }
    client->zmq = zmq;
    if (key != NULL)
        client->key = *key;
    client->arena = ARENA_INIT((size_t)2 * WIRE_MAX_BYTES);
    client->remote = strncmp(endpoint, "inproc:", 7) != 0;
    client->patience_ms = patience_ms;
    client->reply_ms = COMMAND_MS;
    client->heard_ms = clock_monotonic_ms();
    if (open_socket(client, err))
        return client;
    client_close(client);
    return NULL;
}

void client_close(struct client *client)
{
    struct message goodbye = {.kind = MESSAGE_GOODBYE};

    if (client == NULL)
        return;
    if (client->socket != NULL && client->home)
        (void)wire_send(client->socket, NULL, &goodbye, NULL);
    wire_close(client->socket);
    arena_release(&client->arena);
    free(client->endpoint);
    key_wipe(&client->key);
    free(client);
}

bool client_submit(struct client *client, const struct submit *submit,
                   bool wait, const struct client_watch *watch,
                   struct client_result *result, struct err *err)
{
    struct wish wish = {.result = result, .accepted = !wait};
    bool ok;

    *result = (struct client_result){
        .arena = ARENA_INIT((size_t)2 * WIRE_MAX_BYTES), .document = ""};
    client->submit = submit;
    client->watch = watch;
    client->submitted = client->stopping = client->stop_sent = false;
    client->busy_ms = client->again_ms = 0;
    client->job[0] = '\0';
    ok = wait_for(client, &wish, 0, err);
    if (result->job == NULL)
        result->job = arena_strdup(&result->arena, client->job);
    client->submit = NULL;
    client->watch = NULL;
    return ok;
}

void client_result_release(struct client_result *result)
{
    arena_release(&result->arena);
}

void client_set_patience(struct client *client, int64_t ms)
{
    client->reply_ms = ms;
}

bool client_command(struct client *client, const char *verb, const char *job,
                    const char *argument, char **document, struct err *err)
{
    struct wish wish = {.reply = document};
    int64_t began = clock_monotonic_ms();

    // A REPLY does not say what it replies to. One that nobody waits for any
    // more would pass for the answer to this question.
    if (client->unanswered > 0 && !reopen(client, err))
        return false;
    while (!client->home)
        if (!turn(client, &wish, began, err))
            return false;
    return send_command(client, verb, job, argument, err) &&
           wait_for(client, &wish, client->reply_ms, err);
}
