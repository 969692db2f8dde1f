#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "client/client_connection.h"
#include "common/clock.h"
#include "common/signals.h"

// A wait this long means that this process was halted.
enum { HALTED_MS = 1000 };

// --- commands ---

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

// Sends the job if it is due. If that fails for now, a later turn tries again;
// returns false if it can never be sent.
static bool send_job(struct client *client, int64_t now, struct err *err)
{
    struct message message = {.kind = MESSAGE_SUBMIT};
    struct err why = ERR_CLEAR;

    if (!client->welcomed || !submission_is_due(&client->job, now))
        return true;
    message.as.submit = *client->job.submit;
    if (wire_send(client->socket, NULL, &message, &why)) {
        submission_was_sent(&client->job, now);
        return true;
    }
    if (why.code == ERR_BUSY || why.code == ERR_IO)
        return true;
    *err = why;
    return false;
}

// Inside one process nothing is lost, and what was handed over there could not
// be sent again.
static void send_again_if(struct client *client, bool lost)
{
    if (client->remote && lost)
        submission_was_lost(&client->job);
}

static void send_stop(struct client *client, int64_t now)
{
    if (submission_wants_stop(&client->job, now) && client->welcomed)
        client->job.stop_sent =
            send_command(client, "stop", client->job.job, "", NULL);
}

// --- receiving ---

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

// A coordinator in this process serves nobody else, so it cannot be too busy.
static bool should_retry(struct client *client, const struct result *result)
{
    return client->remote &&
           submission_should_retry(&client->job, result, client->heard_ms);
}

// What the caller is waiting for. Either pointer may be NULL.
struct wish {
    struct client_result *result;
    char **reply;
    bool accepted; // ACCEPTED is enough
    bool fulfilled;
};

// A coordinator that was restarted, or had forgotten this client, answers no
// command from before.
static bool on_refused(struct client *client, const struct wish *wish,
                       const struct refused *refused, struct err *err)
{
    if (strcmp(refused->code, "hello") != 0)
        err_set(err, ERR_PROTOCOL, "the coordinator at %.100s refused: %s",
                client->endpoint, refused->text);
    else if (!client_lose_coordinator(client, err))
        return false;
    else if (wish->reply == NULL)
        return true;
    else
        err_set(err, ERR_IO,
                "the coordinator at %.100s went away before it answered, and "
                "may have done what it was told",
                client->endpoint);
    return false;
}

static bool take_reply(struct client *client, struct wish *wish,
                       const struct reply *reply, struct err *err)
{
    client->unanswered--;
    if (wish->reply == NULL && client->job.stop_sent)
        submission_stop_answered(&client->job, reply->document,
                                 client->heard_ms);
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
        client_take_welcome(client);
        return true;
    case MESSAGE_REFUSED:
        return on_refused(client, wish, &message->as.refused, err);
    case MESSAGE_ACCEPTED:
        submission_accepted(&client->job, &message->as.accepted,
                            client->heard_ms);
        wish->fulfilled = wish->fulfilled || wish->accepted;
        return true;
    case MESSAGE_PROGRESS:
        submission_progressed(&client->job, &message->as.progress,
                              client->heard_ms);
        return true;
    case MESSAGE_RESULT:
        if (wish->result == NULL || should_retry(client, &message->as.result))
            return true;
        wish->fulfilled = true;
        return copy_result(&message->as.result, wish->result, err);
    case MESSAGE_REPLY:
        return take_reply(client, wish, &message->as.reply, err);
    case MESSAGE_HEARTBEAT:
        if (message->as.heartbeat.unknown != 0)
            send_again_if(
                client, submission_is_unknown(&client->job, client->heard_ms));
        return true;
    default:
        return true; // from a later version
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

// Returns for how long this process was halted meanwhile; nothing could be
// heard in that time.
static int64_t wait_for_events(struct client *client)
{
    zmq_pollitem_t items[2] = {
        {.socket = wire_handle(client->socket), .events = ZMQ_POLLIN},
        {.fd = signals_fd(), .events = ZMQ_POLLIN},
    };
    // Once a signal has come, its descriptor stays readable.
    bool listen = signals_fd() >= 0 && !signals_came();
    int64_t began = clock_monotonic_ms(), took;

    (void)zmq_poll(items, listen ? 2 : 1, TICK_MS);
    took = clock_monotonic_ms() - began;
    return took < HALTED_MS ? 0 : took;
}

// Says what happens to a job that nobody watches any more, or to a command that
// nobody waits for.
static const char *fate(const struct client *client)
{
    const struct submission *job = &client->job;

    if (job->submit == NULL && client->unanswered > 0)
        return "; the coordinator may still do what it was told";
    if (job->submit == NULL || !client->was_welcomed)
        return "";
    return job->job[0] == '\0'
               ? " before the coordinator said that it has the job: it may "
                 "begin anyway, and `promptcc jobs` shows whether it did"
               : ", and left the job as it is";
}

// Whoever waits only until the job is accepted, perhaps in a script, does not
// wait for a coordinator that may never come back.
static bool check_acceptance(const struct client *client,
                             const struct wish *wish, int64_t now,
                             struct err *err)
{
    if (!wish->accepted || !client->loss_reported ||
        now - client->gone_ms < client->reply_ms)
        return true;
    err_set(err, ERR_IO,
            "the coordinator at %.70s went away before it said that it has the "
            "job, and does not come back: submit it again later; if it has "
            "begun by then, that joins it",
            client->endpoint);
    return false;
}

// On a signal, ends the wait if the client only watches, or if there is no job
// to stop or no coordinator to tell.
static bool check_signal(const struct client *client, struct err *err)
{
    const struct submission *job = &client->job;

    if (!signals_came() ||
        (client->welcomed && submission_is_stopped_by_signals(job)))
        return true;
    err_set(err, ERR_STOPPED, "interrupted%s", fate(client));
    return false;
}

static bool check_patience(const struct client *client, struct err *err)
{
    if (!submission_wants_to_leave(&client->job))
        return true;
    err_set(err, ERR_FAULT,
            "the coordinator was silent for longer than --wait allows; the job "
            "continues");
    return false;
}

// Takes one turn of a wait that began at *began, which moves by the time in
// which this process was halted.
static bool turn(struct client *client, struct wish *wish, int64_t *began,
                 struct err *err)
{
    int64_t now = clock_monotonic_ms(), halted_ms;

    client_greet(client, now);
    send_again_if(client, submission_is_overdue(&client->job, now));
    if (!send_job(client, now, err))
        return false;
    send_stop(client, now);
    client_beat(client, now);
    halted_ms = wait_for_events(client);
    *began += halted_ms;
    client->heard_ms += halted_ms;
    client->gone_ms += halted_ms;
    now = clock_monotonic_ms();
    if (!receive_all(client, wish, now, err))
        return false;
    submission_tick(&client->job);
    return wish->fulfilled ||
           (client_check_silence(client, *began, now, err) &&
            check_acceptance(client, wish, now, err) &&
            check_signal(client, err) && check_patience(client, err));
}

static bool wait_for(struct client *client, struct wish *wish, int64_t most_ms,
                     struct err *err)
{
    int64_t began = clock_monotonic_ms();

    while (!wish->fulfilled) {
        if (!turn(client, wish, &began, err))
            return false;
        if (most_ms > 0 && clock_monotonic_ms() - began > most_ms) {
            err_set(err, ERR_IO,
                    "the coordinator at %.120s did not answer, and may still "
                    "do what it was told",
                    client->endpoint);
            return false;
        }
    }
    return true;
}

// --- called by others ---

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
    if (client_connect(client, err))
        return client;
    client_close(client);
    return NULL;
}

void client_close(struct client *client)
{
    struct message goodbye = {.kind = MESSAGE_GOODBYE};

    if (client == NULL)
        return;
    if (client->socket != NULL && client->welcomed)
        (void)wire_send(client->socket, NULL, &goodbye, NULL);
    wire_close(client->socket);
    arena_release(&client->arena);
    free(client->endpoint);
    key_wipe(&client->key);
    free(client);
}

bool client_submit(struct client *client, const struct submit *submit,
                   enum client_until until, const struct client_watch *watch,
                   struct client_result *result, struct err *err)
{
    struct wish wish = {.result = result,
                        .accepted = until == CLIENT_UNTIL_ACCEPTED};
    bool ok;

    *result = (struct client_result){
        .arena = ARENA_INIT((size_t)2 * WIRE_MAX_BYTES), .document = ""};
    client->job = submission_of(submit, watch);
    ok = wait_for(client, &wish, 0, err);
    if (result->job == NULL)
        result->job = arena_strdup(&result->arena, client->job.job);
    client->job = (struct submission){0};
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

// Waits for a WELCOME: for the first one as long as client_open was told, and
// for that of a coordinator that went away between two commands as long as for
// a reply.
static bool wait_for_welcome(struct client *client, struct err *err)
{
    struct wish wish = {0};
    int64_t began = clock_monotonic_ms();

    while (!client->welcomed) {
        if (!turn(client, &wish, &began, err))
            return false;
        if (client->was_welcomed && !client->welcomed &&
            clock_monotonic_ms() - began > client->reply_ms) {
            err_set(err, ERR_IO, "the coordinator at %.120s does not answer",
                    client->endpoint);
            return false;
        }
    }
    return true;
}

bool client_command(struct client *client, const char *verb, const char *job,
                    const char *argument, char **document, struct err *err)
{
    struct wish wish = {.reply = document};
    struct err ignored = ERR_CLEAR;

    // A REPLY does not say which command it answers, so a late one to an
    // earlier command would be mistaken for the answer to this one.
    if (client->unanswered > 0 && !client_reconnect(client, err))
        return false;
    if (!wait_for_welcome(client, err))
        return false;
    if (send_command(client, verb, job, argument, err))
        return wait_for(client, &wish, client->reply_ms, err);
    // There is no connection; the next command greets first.
    (void)client_lose_coordinator(client, &ignored);
    return false;
}
