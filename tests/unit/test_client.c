#include <criterion/criterion.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "client/client.h"
#include "common/arena.h"
#include "common/signals.h"
#include "wire/socket.h"

// --- a coordinator that answers the first question when the second comes, and
// --- accepts a job when it is sent for the third time

enum { TURN_MS = 5, ARENA_BYTES = 1 << 20 };

struct slow {
    struct wire_socket *socket;
    struct wire_id first; // the sender of the first question
    int questions;
    bool answers_first;         // does not wait for the second question
    enum message_kind halts_at; // the first message of this kind
    long halt_ms;               // halts the coordinator for so long
    bool dies;                  // ends when a job comes
    bool falls_silent;          // says nothing after the first question
    bool forgets;               // knows nobody after the first question
    atomic_int submissions;
    atomic_bool over;
};

enum { TAKEN_AT = 3 };

static const char busy[] =
    "{\"error\": {\"code\": \"busy\", \"text\": \"it reads others: submit "
    "again\", \"place\": null}}";

static void welcome(struct slow *slow, const struct wire_id *to)
{
    struct message message = {
        .kind = MESSAGE_WELCOME,
        .as.welcome = {.heartbeat_ms = 1000, .name = "client"}};

    (void)wire_send(slow->socket, to, &message, NULL);
}

static void reply(struct slow *slow, const struct wire_id *to, const char *text)
{
    struct message message = {.kind = MESSAGE_REPLY,
                              .as.reply = {.document = text}};

    (void)wire_send(slow->socket, to, &message, NULL);
}

static void answer(struct slow *slow, const struct wire_id *from)
{
    if (slow->questions++ == 0) {
        slow->first = *from;
        if (slow->answers_first)
            reply(slow, from, "\"to the first\"");
        return;
    }
    reply(slow, &slow->first, "\"to the first\"");
    reply(slow, from, "\"to the second\"");
}

static void take(struct slow *slow, const struct wire_id *from)
{
    bool taken = atomic_fetch_add(&slow->submissions, 1) + 1 == TAKEN_AT;
    struct message refusal = {
        .kind = MESSAGE_RESULT,
        .as.result = {
            .job = "", .status = 2, .document = busy, .compiled = ""}};
    struct message accepted = {.kind = MESSAGE_ACCEPTED,
                               .as.accepted = {.job = "shop-1"}};

    (void)wire_send(slow->socket, from, taken ? &accepted : &refusal, NULL);
}

static void halt_at(struct slow *slow, enum message_kind kind)
{
    if (kind != slow->halts_at)
        return;
    (void)zmq_poll(NULL, 0, slow->halt_ms);
    slow->halt_ms = 0;
}

static void refuse(struct slow *slow, const struct wire_id *to)
{
    struct message message = {
        .kind = MESSAGE_REFUSED,
        .as.refused = {.code = "hello", .text = "say HELLO first"}};

    (void)wire_send(slow->socket, to, &message, NULL);
}

static void *serve(void *user)
{
    struct slow *slow = user;
    struct arena arena = ARENA_INIT(ARENA_BYTES);

    while (!atomic_load(&slow->over)) {
        zmq_pollitem_t item = {.socket = wire_handle(slow->socket),
                               .events = ZMQ_POLLIN};
        struct wire_id from;
        struct message message;
        struct err bad = ERR_CLEAR;

        (void)zmq_poll(&item, 1, TURN_MS);
        while (wire_receive(slow->socket, &from, &arena, &message, &bad) ==
               WIRE_MESSAGE) {
            halt_at(slow, message.kind);
            if (slow->dies && message.kind == MESSAGE_SUBMIT) {
                arena_release(&arena);
                return NULL;
            }
            if (slow->falls_silent && slow->questions > 0) {
                arena_release(&arena);
                continue;
            }
            if (message.kind == MESSAGE_HELLO)
                welcome(slow, &from);
            else if (message.kind == MESSAGE_COMMAND && slow->forgets &&
                     slow->questions > 0)
                refuse(slow, &from);
            else if (message.kind == MESSAGE_COMMAND)
                answer(slow, &from);
            else if (message.kind == MESSAGE_SUBMIT)
                take(slow, &from);
            arena_release(&arena);
        }
    }
    return NULL;
}

// --- tests ---

struct meeting {
    void *zmq;
    struct slow slow;
    pthread_t thread;
    struct client *client;
};

// patience_ms is for the first WELCOME.
static void meet_one(struct meeting *meeting, const struct slow *slow,
                     int64_t patience_ms)
{
    struct err err = ERR_CLEAR;

    *meeting = (struct meeting){.zmq = zmq_ctx_new(), .slow = *slow};
    meeting->slow.socket =
        wire_bind(meeting->zmq, "tcp://127.0.0.1:*", NULL, &err);
    cr_assert_not_null(meeting->slow.socket, "%s", err.text);
    meeting->client =
        client_open(meeting->zmq, wire_endpoint(meeting->slow.socket), NULL,
                    patience_ms, &err);
    cr_assert_not_null(meeting->client, "%s", err.text);
    cr_assert_eq(pthread_create(&meeting->thread, NULL, serve, &meeting->slow),
                 0);
}

static void meet(struct meeting *meeting)
{
    meet_one(meeting, &(struct slow){0}, 30000);
}

static void part(struct meeting *meeting)
{
    client_close(meeting->client);
    atomic_store(&meeting->slow.over, true);
    (void)pthread_join(meeting->thread, NULL);
    wire_close(meeting->slow.socket);
    zmq_ctx_term(meeting->zmq);
}

Test(client, late_reply_is_not_taken_for_the_next_question, .timeout = 300)
{
    struct meeting meeting;
    struct err err = ERR_CLEAR;
    char *document = NULL;

    meet(&meeting);
    client_set_patience(meeting.client, 100);
    cr_assert_not(
        client_command(meeting.client, "jobs", "", "", &document, &err));
    cr_assert_eq(err.code, ERR_IO, "%s", err.text);
    cr_assert_null(document);
    client_set_patience(meeting.client, 30000);
    err = ERR_CLEAR;
    cr_assert(client_command(meeting.client, "show", "", "", &document, &err),
              "%s", err.text);
    cr_expect_str_eq(document, "\"to the second\"");

    free(document);
    part(&meeting);
}

// A `pause` may be carried out by a coordinator that answers too late.
Test(client, a_command_that_is_given_up_may_still_be_carried_out,
     .timeout = 300)
{
    struct meeting meeting;
    struct err err = ERR_CLEAR;
    char *document = NULL;

    meet(&meeting);
    client_set_patience(meeting.client, 100);
    cr_assert_not(
        client_command(meeting.client, "pause", "shop", "", &document, &err));
    cr_expect_not_null(strstr(err.text, "may still do what it was told"), "%s",
                       err.text);
    part(&meeting);
}

Test(client, a_coordinator_silent_since_the_last_command_is_given_up,
     .timeout = 300)
{
    const struct slow slow = {.answers_first = true, .falls_silent = true};
    struct meeting meeting;
    struct err err = ERR_CLEAR;
    char *document = NULL;

    meet_one(&meeting, &slow, 30000);
    cr_assert(client_command(meeting.client, "jobs", "", "", &document, &err),
              "%s", err.text);
    client_set_patience(meeting.client, 100);
    for (int i = 0; i < 2; i++) {
        err = ERR_CLEAR;
        cr_expect_not(client_command(meeting.client, "jobs", "", "",
                                     &(char *){NULL}, &err));
        cr_expect_eq(err.code, ERR_IO, "%s", err.text);
    }
    cr_expect_not_null(strstr(err.text, "does not answer"), "%s", err.text);
    free(document);
    part(&meeting);
}

// A coordinator that was restarted never answers a command from before. Waiting
// for the whole patience would exceed the test's time.
Test(client, a_reply_that_cannot_come_is_not_waited_for, .timeout = 300)
{
    enum { HOUR_MS = 3600000 };
    const struct slow slow = {.answers_first = true, .forgets = true};
    struct meeting meeting;
    struct err err = ERR_CLEAR;
    char *document = NULL;

    meet_one(&meeting, &slow, 30000);
    client_set_patience(meeting.client, HOUR_MS);
    cr_assert(client_command(meeting.client, "jobs", "", "", &document, &err),
              "%s", err.text);
    cr_expect_not(client_command(meeting.client, "stop", "shop", "",
                                 &(char *){NULL}, &err));
    cr_expect_eq(err.code, ERR_IO);
    cr_expect_not_null(strstr(err.text, "may have done what it was told"), "%s",
                       err.text);
    free(document);
    part(&meeting);
}

// A machine that does other work may halt the coordinator for seconds.
static void ask_one_that_halts(enum message_kind at, long halt_ms,
                               int64_t patience_ms)
{
    struct slow slow = {
        .answers_first = true, .halts_at = at, .halt_ms = halt_ms};
    struct meeting meeting;
    struct err err = ERR_CLEAR;
    char *document = NULL;

    meet_one(&meeting, &slow, patience_ms);
    cr_assert(client_command(meeting.client, "jobs", "", "", &document, &err),
              "%s", err.text);
    cr_expect_str_eq(document, "\"to the first\"");
    free(document);
    part(&meeting);
}

Test(client, coordinator_halted_before_its_welcome_is_waited_for,
     .timeout = 300)
{
    enum { HALT_MS = 7000, PATIENCE_MS = 5000 };

    ask_one_that_halts(MESSAGE_HELLO, HALT_MS, PATIENCE_MS);
}

Test(client, reply_of_a_coordinator_halted_after_the_question_is_read,
     .timeout = 300)
{
    enum { HALT_MS = 4000, PATIENCE_MS = 30000 };

    ask_one_that_halts(MESSAGE_COMMAND, HALT_MS, PATIENCE_MS);
}

Test(client, job_that_can_never_be_sent_is_refused_at_once, .timeout = 300)
{
    enum { FOLDER_BYTES = 5000 }; // 4,096 go into a SUBMIT
    struct meeting meeting;
    struct client_result result;
    struct err err = ERR_CLEAR;
    char folder[FOLDER_BYTES + 1] = "";

    memset(folder, 'x', FOLDER_BYTES);
    struct submit submit = {.action = "run", .folder = folder};

    meet(&meeting);
    cr_expect_not(client_submit(meeting.client, &submit, CLIENT_UNTIL_RESULT,
                                NULL, &result, &err));
    cr_expect_eq(err.code, ERR_LIMIT, "%s", err.text);
    cr_expect_not_null(strstr(err.text, "folder"), "%s", err.text);

    client_result_release(&result);
    part(&meeting);
}

// --- a coordinator that is busy ---

struct told {
    int times;
    char text[300];
};

static void note(void *user, const char *text)
{
    struct told *told = user;

    told->times++;
    (void)snprintf(told->text, sizeof told->text, "%s", text);
}

Test(client, job_is_resent_to_a_busy_coordinator, .timeout = 300)
{
    struct meeting meeting;
    struct client_result result;
    struct err err = ERR_CLEAR;
    struct told told = {0};
    struct client_watch watch = {.user = &told, .say = note};
    struct wire_file file = {.name = "job.yaml", .data = "x", .len = 1};
    struct submit submit = {.action = "run",
                            .options = "{}",
                            .folder = "",
                            .files = &file,
                            .n_files = 1};

    meet(&meeting);
    cr_assert(client_submit(meeting.client, &submit, CLIENT_UNTIL_ACCEPTED,
                            &watch, &result, &err),
              "%s", err.text);
    cr_expect_str_eq(result.job, "shop-1");
    cr_expect_str_eq(result.document, "");
    cr_expect_eq(atomic_load(&meeting.slow.submissions), TAKEN_AT);
    cr_expect_eq(told.times, 1);
    cr_expect_str_eq(told.text,
                     "it reads others; the job will be sent again until "
                     "it is accepted");

    client_result_release(&result);
    part(&meeting);
}

// A script that only submits must not hang for ever.
Test(client, coordinator_gone_before_acceptance_is_not_waited_for_without_limit,
     .timeout = 300)
{
    const struct slow dies = {.dies = true};
    struct meeting meeting;
    struct client_result result;
    struct err err = ERR_CLEAR;
    struct wire_file file = {.name = "job.yaml", .data = "x", .len = 1};
    struct submit submit = {.action = "run",
                            .options = "{}",
                            .folder = "",
                            .files = &file,
                            .n_files = 1};

    meet_one(&meeting, &dies, 30000);
    client_set_patience(meeting.client, 1000);
    cr_expect_not(client_submit(meeting.client, &submit, CLIENT_UNTIL_ACCEPTED,
                                NULL, &result, &err));
    cr_expect_eq(err.code, ERR_IO);
    cr_expect_not_null(strstr(err.text, "went away before it said"), "%s",
                       err.text);
    client_result_release(&result);
    part(&meeting);
}

static void interrupt(void *user, const char *text)
{
    (void)user, (void)text;
    (void)raise(SIGINT);
}

// The job has been sent, and nobody can know whether it will begin.
Test(client, client_that_leaves_before_acceptance_is_told_the_job_may_begin,
     .timeout = 300)
{
    struct meeting meeting;
    struct client_result result;
    struct err err = ERR_CLEAR;
    struct client_watch watch = {.say = interrupt, .leaves = true};
    struct wire_file file = {.name = "job.yaml", .data = "x", .len = 1};
    struct submit submit = {.action = "run",
                            .options = "{}",
                            .folder = "",
                            .files = &file,
                            .n_files = 1};

    cr_assert(signals_open(&err), "%s", err.text);
    meet(&meeting);
    signals_accept();
    cr_expect_not(client_submit(meeting.client, &submit, CLIENT_UNTIL_RESULT,
                                &watch, &result, &err));
    cr_expect_eq(err.code, ERR_STOPPED);
    cr_expect_not_null(strstr(err.text, "it may begin anyway"), "%s", err.text);
    client_result_release(&result);
    part(&meeting);
    signals_close();
}
