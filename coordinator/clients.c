#include "coordinator/clients.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/error_document.h"
#include "coordinator/commands.h"
#include "coordinator/engine.h"
#include "coordinator/inquiries.h"
#include "coordinator/jobs.h"
#include "coordinator/late_replies.h"
#include "coordinator/peers.h"
#include "coordinator/side_call.h"
#include "store/job_state.h"

enum { PROGRESS_MS = 250 }; // between two PROGRESS of a job

struct clients {
    struct engine *engine;      // borrowed
    struct peers *peers;        // borrowed
    struct jobs *jobs;          // borrowed
    struct inquiries inquiries; // commands that read the store
    struct late_replies late;   // what is said once it is on disk
    int64_t progress_ms;        // when PROGRESS was last sent
};

// --- replies ---

static void tell_failure(struct clients *clients, struct peer *peer,
                         int64_t status, const struct err *err)
{
    char *document = error_document(err);
    struct message message = {
        .kind = MESSAGE_RESULT,
        .as.result = {.job = "",
                      .status = status,
                      .document = document == NULL ? "{}" : document,
                      .compiled = ""}};

    peers_tell(clients->peers, peer, &message);
    free(document);
}

// text is NULL when there was no memory for it.
static void reply_text(struct clients *clients, struct peer *peer,
                       const char *text)
{
    struct message message = {
        .kind = MESSAGE_REPLY,
        .as.reply = {.document = text == NULL ? "{}" : text}};

    peers_tell(clients->peers, peer, &message);
}

static void reply_to(struct clients *clients, struct peer *peer, json_t *answer,
                     const struct err *err)
{
    char *text = command_text(answer, err);

    reply_text(clients, peer, text);
    free(text);
}

// --- submitting ---

// taken: the job is being opened. If not, err says why.
static void after_submit(struct clients *clients, struct peer *peer, bool taken,
                         const struct err *err)
{
    if (taken)
        peer_begins_submission(peer);
    else
        tell_failure(clients, peer, 2, err);
}

void clients_submitted(struct clients *clients, struct peer *peer,
                       const struct submit *submit, struct arena *arena)
{
    struct requester requester = requester_from(peer, REQUESTER_SUBMITS);
    struct err err = ERR_CLEAR;
    bool taken = jobs_submit(clients->jobs, &requester, submit, arena, &err);

    after_submit(clients, peer, taken, &err);
}

void clients_submitted_long(struct clients *clients, struct peer *peer,
                            struct buf *bytes)
{
    struct requester requester = requester_from(peer, REQUESTER_SUBMITS);
    struct err err = ERR_CLEAR;
    bool taken = jobs_submit_long(clients->jobs, &requester, bytes, &err);

    after_submit(clients, peer, taken, &err);
}

// Returns the exit status of a client whose job did not begin.
static int64_t status_of(enum err_code code)
{
    switch (code) {
    case ERR_STORE:
    case ERR_FAULT:
        return 3;
    case ERR_STOPPED:
        return 130;
    default:
        return 2;
    }
}

static void refuse(struct clients *clients, struct peer *peer,
                   enum requester_kind kind, const struct err *why)
{
    if (kind == REQUESTER_COMMANDS) {
        reply_to(clients, peer, NULL, why);
        return;
    }
    peer_ends_submission(peer, NULL);
    tell_failure(clients, peer, status_of(why->code), why);
}

static void accept_job(struct clients *clients, struct peer *peer,
                       struct running_job *running, const char *note)
{
    struct message message = {.kind = MESSAGE_ACCEPTED};

    peer_ends_submission(peer, running);
    message.as.accepted =
        (struct accepted){.job = running_job_id(running), .note = note};
    peers_tell(clients->peers, peer, &message);
}

static json_t *state_json(const char *job, enum job_state state)
{
    return json_pack("{s:s, s:s}", "job", job, "state", job_state_name(state));
}

// Says it once everything that was put is on disk. Takes the text.
static void say_late(struct clients *clients, const struct requester *requester,
                     struct running_job *begun, char *text)
{
    struct peer *peer = peers_at(clients->peers, &requester->address);
    const struct late_reply reply = {.requester = *requester,
                                     .put =
                                         store_last_put(clients->engine->store),
                                     .begun = begun,
                                     .text = text};
    struct err err = ERR_CLEAR;

    if (!late_replies_add(&clients->late, &reply, &err) && peer != NULL)
        refuse(clients, peer, requester->kind, &err);
}

void clients_job_opened(struct clients *clients,
                        const struct requester *requester,
                        const struct opened *opened)
{
    struct peer *peer = requester->kind == REQUESTER_NONE
                            ? NULL
                            : peers_at(clients->peers, &requester->address);

    if (peer == NULL)
        return;
    if (opened->running == NULL)
        refuse(clients, peer, requester->kind, opened->err);
    else if (requester->kind == REQUESTER_SUBMITS)
        say_late(clients, requester, opened->running, strdup(opened->word));
    else
        say_late(clients, requester, NULL,
                 command_text(
                     state_json(running_job_id(opened->running), JOB_RUNNING),
                     opened->err));
}

static void say_now(struct clients *clients, const struct late_reply *reply)
{
    struct peer *peer = peers_at(clients->peers, &reply->requester.address);
    struct engine *engine = clients->engine;
    struct err err = ERR_CLEAR;

    if (peer == NULL)
        return;
    if (reply->put > store_durable(engine->store) &&
        !store_healthy(engine->store, &err))
        refuse(clients, peer, reply->requester.kind, &err);
    else if (reply->begun != NULL)
        accept_job(clients, peer, reply->begun,
                   reply->text == NULL ? "" : reply->text);
    else
        reply_text(clients, peer, reply->text);
}

static void say_what_is_durable(struct clients *clients)
{
    const struct store *store = clients->engine->store;
    struct late_reply *reply;

    while ((reply = late_replies_take(&clients->late, store_durable(store),
                                      !store_healthy(store, NULL))) != NULL) {
        say_now(clients, reply);
        late_reply_free(reply);
    }
}

// Tells those who stopped the job in which state it is now.
static void say_ended(struct clients *clients,
                      const struct running_job *running)
{
    enum job_state state = running_job_result(running)->state;
    struct late_reply *reply;
    struct err err = ERR_CLEAR;

    (void)store_healthy(clients->engine->store, &err);
    while ((reply = late_replies_take_ended(&clients->late, running)) != NULL) {
        struct peer *peer = peers_at(clients->peers, &reply->requester.address);

        if (peer != NULL)
            reply_to(clients, peer,
                     err.code == ERR_NONE
                         ? state_json(running_job_id(running), state)
                         : NULL,
                     &err);
        late_reply_free(reply);
    }
}

void clients_job_ended(struct clients *clients,
                       const struct running_job *running)
{
    const struct running_job_result *result = running_job_result(running);
    struct message message = {.kind = MESSAGE_RESULT};

    say_what_is_durable(clients); // who submitted the job watches it from now
    say_ended(clients, running);
    message.as.result = (struct result){
        .job = running_job_id(running),
        .status = result->status,
        .document = result->document == NULL ? "{}" : result->document,
        .compiled = result->compiled == NULL ? "" : result->compiled};
    for (struct peer *peer = peers_next_watcher(clients->peers, running, NULL);
         peer != NULL; peer = peers_next_watcher(clients->peers, running, peer))
        peers_tell(clients->peers, peer, &message);
    peers_unwatch(clients->peers, running);
}

static void tell_progress(struct clients *clients, int64_t now)
{
    if (now - clients->progress_ms < PROGRESS_MS)
        return;
    clients->progress_ms = now;
    for (struct peer *peer = peers_next_watcher(clients->peers, NULL, NULL);
         peer != NULL; peer = peers_next_watcher(clients->peers, NULL, peer)) {
        struct message message = {.kind = MESSAGE_PROGRESS};

        running_job_progress(peer_watched(peer), now, &message.as.progress);
        peers_tell(clients->peers, peer, &message);
    }
}

// --- commands ---

static void act_on(struct clients *clients, struct peer *peer,
                   const struct verb *verb, const struct command *command,
                   json_t *found)
{
    const struct command_scene at = {.engine = clients->engine,
                                     .jobs = clients->jobs,
                                     .late = &clients->late,
                                     .peer = peer};
    const struct requester requester = requester_from(peer, REQUESTER_COMMANDS);
    struct err err = ERR_CLEAR;
    json_t *answer = command_act(verb, &at, command, found, &err);

    if (answer != NULL && command_changes(verb))
        say_late(clients, &requester, NULL, command_text(answer, &err));
    else if (answer != NULL || err.code != ERR_NONE)
        reply_to(clients, peer, answer, &err);
}

static void on_read(void *user, const struct inquiry *inquiry)
{
    struct clients *clients = user;
    const struct requester *requester = &inquiry->requester;
    struct peer *peer = peers_at(clients->peers, &requester->address);

    if (peer == NULL)
        json_decref(inquiry->found);
    else if (inquiry->found == NULL)
        reply_text(clients, peer, inquiry->text);
    else
        act_on(clients, peer, inquiry->verb, inquiry->command, inquiry->found);
}

void clients_commanded(struct clients *clients, struct peer *peer,
                       const struct command *command)
{
    struct err err = ERR_CLEAR;
    const struct verb *verb = command_verb(command->verb, &err);
    struct requester requester = requester_from(peer, REQUESTER_COMMANDS);

    if (verb != NULL && !command_reads(verb))
        act_on(clients, peer, verb, command, NULL);
    else if (verb == NULL || !inquiries_ask(&clients->inquiries, &requester,
                                            verb, command, &err))
        reply_to(clients, peer, NULL, &err);
}

// --- calls outside of jobs ---

static void reply_to_side_call(struct clients *clients, struct side_call *side,
                               json_t *answer, const struct err *err,
                               int64_t now)
{
    struct peer *peer = peers_at(clients->peers, &side->asker);

    if (peer != NULL)
        reply_to(clients, peer, answer, err);
    else
        json_decref(answer);
    side_call_end(clients->engine, side, now);
}

void clients_refuse_side_call(struct clients *clients, struct side_call *side,
                              const struct err *why, int64_t now)
{
    reply_to_side_call(clients, side, NULL, why, now);
}

void clients_side_call_answered(struct clients *clients, struct side_call *side,
                                const struct call_answer *answer)
{
    struct err err = ERR_CLEAR;

    reply_to_side_call(clients, side, side_call_reply(answer), &err,
                       clock_monotonic_ms());
}

static void end_late_side_calls(struct clients *clients, int64_t now)
{
    struct side_call *side;
    struct err err = ERR_CLEAR;

    err_set(&err, ERR_BUSY, "no worker had time for it within %d s",
            SIDE_CALL_MS / 1000);
    while ((side = side_call_find_late(clients->engine, now)) != NULL)
        clients_refuse_side_call(clients, side, &err, now);
}

void clients_tend(struct clients *clients, int64_t now)
{
    say_what_is_durable(clients);
    end_late_side_calls(clients, now);
    tell_progress(clients, now);
}

bool clients_wait(const struct clients *clients)
{
    return clients->late.first != NULL;
}

// --- life ---

struct clients *clients_new(struct engine *engine, struct peers *peers,
                            struct jobs *jobs, const char *program,
                            struct err *err)
{
    struct clients *clients = calloc(1, sizeof *clients);

    if (clients == NULL) {
        err_nomem(err, "the clients");
        return NULL;
    }
    clients->engine = engine;
    clients->peers = peers;
    clients->jobs = jobs;
    clients->inquiries = (struct inquiries){.engine = engine,
                                            .program = program,
                                            .answered = on_read,
                                            .user = clients};
    return clients;
}

void clients_free(struct clients *clients)
{
    if (clients == NULL)
        return;
    late_replies_release(&clients->late);
    free(clients);
}
