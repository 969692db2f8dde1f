// The protocol as the coordinator speaks it, message by message.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "common/json.h"
#include "coordinator/coordinator_state.h"
#include "coordinator/engine.h"
#include "stage.h"
#include "store/query.h"
#include "wire/lease.h"

static struct stage stage;
static struct actor client;

#define ROW(text) "{\"text\": \"" text "\", \"topic\": \"garden\"}\n"

static const char one_row[] = ROW("a rose");
static const char two_rows[] = ROW("a rose") ROW("a tulip");
static const char equal_rows[] = ROW("a rose") ROW("a rose");

static void set_up(void)
{
    stage_open(&stage);
    stage_start(&stage);
    actor_greet_as_client(&client, &stage, "client");
}

static void tear_down(void)
{
    stage_close(&stage);
}

TestSuite(peers, .init = set_up, .fini = tear_down);

// Evaluates a job in which every row is one call.
static void evaluate(struct actor *by, const char *rows)
{
    const struct stage_file files[] = {{"rows.jsonl", rows}, {NULL, NULL}};

    actor_submit(by, "eval", "{\"data\": \"rows.jsonl\"}", "", STAGE_JOB,
                 files);
}

static void worker(struct actor *actor, const char *name, int64_t slots)
{
    actor_greet_as_worker(actor, &stage, name, slots, STAGE_DIGEST);
}

// Returns the HELLO of a worker that has the job's model.
static struct hello hello_of(const char *name, int64_t epoch, int64_t slots)
{
    static struct wire_model model = {.name = STAGE_MODEL,
                                      .digest = STAGE_DIGEST};

    return actor_worker_hello(name, epoch, slots, &model);
}

static void expect_refused(struct actor *actor, const char *code)
{
    cr_expect_str_eq(actor_await(actor, MESSAGE_REFUSED)->as.refused.code,
                     code);
}

// --- greeting ---

Test(peers, another_version_of_the_protocol_is_refused)
{
    struct hello hello = actor_worker_hello("w", 1, 1, NULL);
    struct actor w, old;

    hello.version = WIRE_VERSION + 1;
    actor_enter(&w, &stage, "w");
    actor_hello(&w, &hello);
    expect_refused(&w, "version");
    cr_expect_not_null(strstr(w.message.as.refused.text, "beside the"));
    hello.version = WIRE_VERSION - 1;
    actor_enter(&old, &stage, "old");
    actor_hello(&old, &hello);
    expect_refused(&old, "version");
    cr_expect_str_eq(old.message.as.refused.text,
                     "the coordinator speaks version 3 of the protocol, and "
                     "this promptcc version 2: install the coordinator's here");
}

Test(peers, peer_that_has_not_greeted_is_asked_to)
{
    struct actor w;

    actor_enter(&w, &stage, "w");
    actor_say(&w, &(struct message){.kind = MESSAGE_HEARTBEAT});
    expect_refused(&w, "hello");
}

Test(peers, two_workers_with_one_name_are_distinguished)
{
    struct hello hello = hello_of("same", 1, 1);
    struct actor a, b;

    actor_enter(&a, &stage, "a");
    actor_hello(&a, &hello);
    cr_expect_str_eq(actor_await(&a, MESSAGE_WELCOME)->as.welcome.name, "same");
    actor_enter(&b, &stage, "b");
    actor_hello(&b, &hello);
    cr_expect_str_neq(actor_await(&b, MESSAGE_WELCOME)->as.welcome.name,
                      "same");
}

Test(peers, worker_that_greets_again_without_restart_keeps_its_call)
{
    struct hello hello = hello_of("w", 1, 1);
    struct actor w;
    int64_t lease;

    worker(&w, "w", 1);
    evaluate(&client, one_row);
    lease = actor_take_call(&w);
    actor_hello(&w, &hello);
    actor_await(&w, MESSAGE_WELCOME);
    actor_answer(&w, lease, "garden");
    actor_expect_score(&client, 1, 1);
}

Test(peers, restarted_worker_gets_its_call_under_a_new_lease)
{
    struct hello hello = hello_of("w", 2, 1);
    struct actor w;
    int64_t before, after;

    worker(&w, "w", 1);
    evaluate(&client, one_row);
    before = actor_take_call(&w);
    actor_hello(&w, &hello);
    actor_await(&w, MESSAGE_WELCOME);
    after = actor_take_call(&w);
    cr_expect_neq(before, after);
    actor_answer(&w, before, "kitchen"); // from before the greeting
    actor_answer(&w, after, "garden");
    actor_expect_score(&client, 1, 1);
}

Test(peers, heartbeats_are_sent_to_every_greeted_peer)
{
    actor_await(&client, MESSAGE_HEARTBEAT);
}

enum { LEASES_BYTES = 8 * WIRE_LEASE_BYTES };

// Writes leases as in a heartbeat; returns the number of bytes.
static size_t put_leases(const int64_t *leases, size_t n,
                         char bytes[LEASES_BYTES])
{
    for (size_t i = 0; i < n; i++)
        lease_write(leases[i], bytes + i * WIRE_LEASE_BYTES);
    return n * WIRE_LEASE_BYTES;
}

// Sends the heartbeat of a worker that has these leases.
static void beat_with(struct actor *actor, const int64_t *leases, size_t n)
{
    struct message message = {.kind = MESSAGE_HEARTBEAT};
    char held[LEASES_BYTES];

    message.as.heartbeat.held = held;
    message.as.heartbeat.held_len = put_leases(leases, n, held);
    actor_say(actor, &message);
}

// Sends such heartbeats until a call is sent again; returns its lease.
static int64_t await_again(struct actor *actor, const int64_t *leases, size_t n)
{
    int beats = 0;

    do {
        cr_assert_lt(++beats, 40, "no call is sent again");
        beat_with(actor, leases, n);
    } while (!actor_hears(actor, MESSAGE_CALL, 250));
    return actor->message.as.call.id;
}

Test(peers, call_lost_in_transit_is_resent)
{
    struct actor w;
    int64_t lease;

    worker(&w, "w", 1);
    w.silent = true;
    evaluate(&client, one_row);
    lease = actor_take_call(&w);
    cr_expect_eq(await_again(&w, NULL, 0), lease);
    actor_answer(&w, lease, "garden");
    actor_answer(&w, lease, "kitchen"); // the first answer counts
    actor_expect_score(&client, 1, 1);
}

// --- the same worker over another connection ---

static void greet_as(struct actor *actor, const char *identity,
                     int64_t greeting)
{
    struct hello hello = hello_of("w", 10 + greeting, 1);

    hello.instance = 77;
    hello.greeting = greeting;
    actor_enter(actor, &stage, identity);
    actor_hello(actor, &hello);
}

// The first connection has fallen silent, and nothing reported that it broke.
// Otherwise its worker would be counted for a minute more.
Test(peers, worker_that_greets_over_a_second_connection_counts_once)
{
    struct actor first, second, late;
    int64_t lease;

    greet_as(&first, "first", 1);
    (void)actor_await(&first, MESSAGE_WELCOME);
    evaluate(&client, one_row);
    (void)actor_take_call(&first);
    greet_as(&second, "second", 3);
    (void)actor_await(&second, MESSAGE_WELCOME);
    lease = actor_take_call(&second);
    greet_as(&late, "late", 2); // it was delayed on its way
    cr_expect_not(actor_hears(&late, MESSAGE_WELCOME, 100));
    cr_expect_eq(stage.coordinator->engine.workers.n, 1);
    actor_answer(&second, lease, "garden");
    actor_expect_score(&client, 1, 1);
}

// --- what need not be sent twice, or in a separate frame ---

static void keeping_worker(struct actor *actor, int64_t slots)
{
    struct hello hello = hello_of("w", 1, slots);

    hello.several = 1;
    hello.prefixes = 4;
    actor_enter(actor, &stage, "w");
    actor_hello(actor, &hello);
    cr_expect_eq(actor_await(actor, MESSAGE_WELCOME)->as.welcome.several, 1);
    actor->silent = true;
}

// Takes the next call, whose prefix comes whole or is only named; returns its
// lease.
static int64_t take_named(struct actor *actor, bool whole, struct hash *name)
{
    const struct call_message *call =
        &actor_await(actor, MESSAGE_CALL)->as.call;

    cr_expect_eq(call->request.prefix_len > 0, whole);
    cr_assert_eq(call->prefix_name_len, sizeof name->bytes);
    memcpy(name->bytes, call->prefix_name, sizeof name->bytes);
    return call->id;
}

// Lets a worker that keeps prefixes take two calls with the same prefix.
static void take_two(struct actor *actor, int64_t leases[2], struct hash *name)
{
    struct hash second;

    keeping_worker(actor, 1);
    evaluate(&client, two_rows);
    leases[0] = take_named(actor, true, name);
    leases[1] = take_named(actor, false, &second);
    cr_expect(hash_equal(name, &second));
}

static void answer_two(struct actor *actor, const int64_t leases[2])
{
    actor_answer(actor, leases[0], "garden");
    actor_answer(actor, leases[1], "garden");
}

Test(peers, worker_with_prefix_cache_gets_each_prefix_once)
{
    struct hash name;
    int64_t leases[2];
    struct actor w;

    take_two(&w, leases, &name);
    answer_two(&w, leases);
    actor_expect_score(&client, 1, 2);
}

Test(peers, resent_call_includes_its_prefix)
{
    struct hash name;
    int64_t leases[2];
    struct actor w;

    take_two(&w, leases, &name);
    // Suppose it does not know the second call's prefix: it does not take that
    // call.
    cr_expect_eq(await_again(&w, leases, 1), leases[1]);
    cr_expect_gt(w.message.as.call.request.prefix_len, 0);
    answer_two(&w, leases);
    actor_expect_score(&client, 1, 2);
}

static void report_lacks(struct actor *w, const int64_t *leases, size_t n)
{
    struct message message = {.kind = MESSAGE_HEARTBEAT};
    char bytes[LEASES_BYTES];

    message.as.heartbeat.lacks = bytes;
    message.as.heartbeat.lacks_len = put_leases(leases, n, bytes);
    actor_say(w, &message);
}

// No heartbeat lists its leases, so nothing else reports the loss.
Test(peers, calls_whose_prefix_a_worker_lacks_are_resent_at_once)
{
    struct hash name, again;
    int64_t leases[2];
    struct actor w;

    take_two(&w, leases, &name);
    report_lacks(&w, leases, 2);
    cr_expect_eq(take_named(&w, true, &again), leases[0]);
    cr_expect(hash_equal(&again, &name));
    cr_expect_eq(take_named(&w, false, &again), leases[1], "it has it by then");
    answer_two(&w, leases);
    report_lacks(&w, leases, 2); // repeating it later changes nothing
    actor_expect_score(&client, 1, 2);
    cr_expect_not(actor_hears(&w, MESSAGE_CALL, 50));
}

Test(peers, worker_that_always_lacks_a_prefix_is_disconnected)
{
    struct hash name;
    int64_t lease;
    struct actor w;

    keeping_worker(&w, 1);
    evaluate(&client, one_row);
    lease = take_named(&w, true, &name);
    for (int i = 0; i < 400; i++)
        report_lacks(&w, &lease, 1);
    (void)actor_await(&w, MESSAGE_REFUSED);
}

static void put_answer(struct buf *frame, int64_t lease)
{
    static char text[] = "[[ ## topic ## ]]\ngarden\n";
    struct message message = {.kind = MESSAGE_ANSWER};
    struct err err = ERR_CLEAR;

    message.as.answer.id = lease;
    message.as.answer.answer =
        (struct call_answer){.text = text, .text_len = strlen(text)};
    cr_assert(message_encode(&message, frame, &err), "%s", err.text);
}

static void send_frame(struct actor *actor, struct buf *bytes)
{
    struct wire_frame frame = {.data = bytes->data, .len = bytes->len};
    struct err err = ERR_CLEAR;

    cr_assert(wire_send_encoded(actor->socket, NULL, &frame, &err));
    buf_release(bytes);
}

Test(peers, several_answers_may_come_in_one_frame)
{
    struct buf frame = BUF_INIT(WIRE_FRAME_BYTES);
    struct hash name;
    struct actor w;

    keeping_worker(&w, 1);
    evaluate(&client, two_rows);
    put_answer(&frame, take_named(&w, true, &name));
    put_answer(&frame, take_named(&w, false, &name));
    send_frame(&w, &frame);
    actor_expect_score(&client, 1, 2);
}

// The GOODBYE ends the worker's stay; what follows in the frame comes from
// nobody.
Test(peers, rest_of_a_frame_after_a_goodbye_is_ignored)
{
    struct buf frame = BUF_INIT(WIRE_FRAME_BYTES);
    struct message goodbye = {.kind = MESSAGE_GOODBYE};
    struct err err = ERR_CLEAR;
    struct actor w, other;
    struct hash name;
    int64_t lease;

    keeping_worker(&w, 1);
    evaluate(&client, one_row);
    lease = take_named(&w, true, &name);
    cr_assert(message_encode(&goodbye, &frame, &err));
    put_answer(&frame, lease);
    send_frame(&w, &frame);
    worker(&other, "other", 1);
    actor_answer_next(&other, "kitchen");
    actor_expect_score(&client, 0, 1);
}

Test(peers, nonsense_after_a_message_disconnects_the_peer)
{
    struct buf frame = BUF_INIT(WIRE_FRAME_BYTES);
    struct hash name;
    struct actor w;

    keeping_worker(&w, 1);
    evaluate(&client, one_row);
    put_answer(&frame, take_named(&w, true, &name));
    buf_puts(&frame, "\xc1");
    send_frame(&w, &frame);
    expect_refused(&w, "frame");
    actor_expect_score(&client, 1, 1); // what came before the nonsense counts
}

Test(peers, work_that_no_call_waits_for_is_cancelled)
{
    int64_t lease = 77;
    struct actor w;

    worker(&w, "w", 1);
    beat_with(&w, &lease, 1);
    cr_expect_eq(actor_await(&w, MESSAGE_CANCEL)->as.cancel.id, lease);
}

// --- nonsense ---

Test(peers, a_worker_that_sends_nonsense_loses_its_calls_to_another)
{
    struct actor w, sound;
    int64_t lease;

    worker(&w, "w", 1);
    evaluate(&client, one_row);
    actor_take_call(&w);
    cr_assert_gt(zmq_send(wire_handle(w.socket), "\xc1junk", 5, 0), 0);
    expect_refused(&w, "frame");
    worker(&sound, "sound", 1);
    lease = actor_take_call(&sound);
    actor_answer(&sound, lease, "garden");
    actor_expect_score(&client, 1, 1);
}

Test(peers, nonsense_from_a_stranger_is_refused_without_harm)
{
    struct actor stranger, w;

    actor_enter(&stranger, &stage, "stranger");
    for (int i = 0; i < 20; i++)
        cr_assert_geq(zmq_send(wire_handle(stranger.socket), "", 0, 0), 0);
    expect_refused(&stranger, "frame");
    worker(&w, "w", 1);
    evaluate(&client, one_row);
    actor_answer_next(&w, "garden");
    actor_expect_score(&client, 1, 1);
}

Test(peers, a_client_that_plays_a_worker_is_forgotten)
{
    struct actor w, rogue;
    int64_t lease;

    worker(&w, "w", 1);
    actor_greet_as_client(&rogue, &stage, "rogue");
    evaluate(&client, one_row);
    lease = actor_take_call(&w);
    actor_answer(&rogue, lease, "kitchen");
    actor_fault(&rogue, lease, FAULT_MODEL);
    cr_expect_not(actor_hears(&client, MESSAGE_RESULT, 100));
    actor_answer(&w, lease, "garden");
    actor_expect_score(&client, 1, 1);
}

Test(peers, a_worker_that_plays_a_client_is_forgotten)
{
    struct actor w;

    worker(&w, "w", 1);
    evaluate(&w, one_row);
    cr_expect_not(actor_hears(&w, MESSAGE_ACCEPTED, 100));
}

// --- leases ---

Test(peers, an_answer_under_the_lease_of_another_is_ignored)
{
    struct actor a, b;
    int64_t of_a, of_b;

    worker(&a, "a", 1);
    worker(&b, "b", 1);
    evaluate(&client, two_rows);
    of_a = actor_take_call(&a);
    of_b = actor_take_call(&b);
    actor_answer(&b, of_a, "kitchen");
    actor_answer(&b, 987654321, "kitchen");
    actor_fault(&b, of_a, FAULT_MODEL);
    cr_expect_not(actor_hears(&client, MESSAGE_RESULT, 100));
    actor_answer(&a, of_a, "garden");
    actor_answer(&b, of_b, "garden");
    actor_expect_score(&client, 1, 2);
}

Test(peers, an_answer_that_comes_twice_counts_once)
{
    struct actor w;
    int64_t lease;

    worker(&w, "w", 1);
    evaluate(&client, two_rows);
    lease = actor_take_call(&w);
    actor_answer(&w, lease, "garden");
    actor_answer(&w, lease, "kitchen");
    actor_answer_next(&w, "garden");
    actor_expect_score(&client, 1, 2);
}

// An answer of 4 MiB for the hundred or so tokens that were asked for, and
// log-probabilities that were not asked for.
Test(peers, answer_longer_than_a_model_can_write_is_cut)
{
    enum { LENGTH = 4 << 20 };
    struct message message = {.kind = MESSAGE_ANSWER};
    char *text = malloc(LENGTH + 1);
    struct err err = ERR_CLEAR;
    char path[128];
    struct actor w;

    cr_assert_not_null(text);
    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    worker(&w, "w", 1);
    evaluate(&client, one_row);
    message.as.answer =
        (struct answer_message){.id = actor_take_call(&w),
                                .answer = {.outcome = CALL_TEXT,
                                           .text = text,
                                           .text_len = LENGTH,
                                           .cached_tokens = -1,
                                           .logprobs = (char *)"[[0,1,0.5]]"}};
    actor_say(&w, &message);
    actor_expect_score(&client, 0, 1);
    actor_leave(&w);
    free(text);
    stage_stop(&stage);

    (void)snprintf(path, sizeof path, "%s/store.db", stage.folder);
    struct store *store = store_open_read(path, &err);
    cr_assert_not_null(store, "%s", err.text);
    json_t *rows = query_rows(store,
                              "SELECT length(reply) AS length, outcome,"
                              " (SELECT max(logprobs) FROM call_texts)"
                              " AS logprobs FROM v_calls",
                              NULL, 0, &err);
    const json_t *row = json_array_get(rows, 0);
    cr_assert_not_null(row, "%s", err.text);
    cr_expect_gt(json_get_int(row, "length", 0), 256 << 10);
    cr_expect_lt(json_get_int(row, "length", 0), 2 << 20);
    cr_expect_str_eq(json_get_text(row, "outcome", ""), "cut");
    cr_expect(json_is_null(json_object_get(row, "logprobs")));
    json_decref(rows);
    store_close(store);
}

Test(peers, the_calls_of_a_silent_worker_go_elsewhere)
{
    struct actor silent, other;

    worker(&silent, "silent", 1);
    silent.silent = true;
    evaluate(&client, one_row);
    actor_take_call(&silent);
    worker(&other, "other", 1);
    cr_expect_not(actor_hears(&other, MESSAGE_CALL, 1500), "too soon");
    actor_answer_next(&other, "garden");
    actor_expect_score(&client, 1, 1);
}

Test(peers, client_that_waits_for_an_unknown_job_is_notified)
{
    struct message beat = {.kind = MESSAGE_HEARTBEAT,
                           .as.heartbeat = {.waits = 1}};

    actor_say(&client, &beat);
    while (actor_await(&client, MESSAGE_HEARTBEAT)->as.heartbeat.unknown == 0)
        continue;
    evaluate(&client, one_row);
    actor_await(&client, MESSAGE_ACCEPTED);
    for (int i = 0; i < 3; i++) {
        actor_say(&client, &beat);
        cr_expect_eq(
            actor_await(&client, MESSAGE_HEARTBEAT)->as.heartbeat.unknown, 0);
    }
}

Test(peers, late_answer_of_a_silent_worker_counts)
{
    struct actor w;
    int64_t lease;

    worker(&w, "w", 1);
    w.silent = true;
    evaluate(&client, one_row);
    lease = actor_take_call(&w);
    cr_expect_not(actor_hears(&w, MESSAGE_REFUSED, 4000));
    actor_answer(&w, lease, "garden");
    actor_expect_score(&client, 1, 1);
}

Test(peers, flooding_worker_is_disconnected_and_the_job_continues)
{
    const struct message beat = {.kind = MESSAGE_HEARTBEAT};
    struct actor w, flood;

    worker(&w, "w", 1);
    worker(&flood, "flood", 1);
    evaluate(&client, two_rows);
    int64_t of_flood = actor_take_call(&flood);
    for (int i = 0; i < 2000; i++)
        wire_send(flood.socket, NULL, &beat, NULL);
    actor_answer_next(&w, "garden");
    actor_answer_next(&w, "garden");
    actor_expect_score(&client, 1, 2);
    (void)of_flood;
}

Test(peers, a_call_that_a_worker_hands_back_goes_elsewhere)
{
    struct actor a, b;

    worker(&a, "a", 1);
    evaluate(&client, one_row);
    worker(&b, "b", 1);
    actor_fault(&a, actor_take_call(&a), FAULT_SERVER);
    actor_answer_next(&b, "garden");
    actor_expect_score(&client, 1, 1);
}

Test(peers, draining_worker_answers_its_calls_and_gets_no_more)
{
    struct actor w, other;
    int64_t lease;

    worker(&w, "w", 1);
    evaluate(&client, "" ROW("1") ROW("2") ROW("3") ROW("4"));
    lease = actor_take_call(&w);
    actor_goodbye(&w, 2);
    actor_answer(&w, lease, "garden");
    actor_answer_next(&w, "garden"); // sent together with the first call
    cr_expect_not(actor_hears(&w, MESSAGE_CALL, 100));
    worker(&other, "other", 2);
    actor_answer_next(&other, "garden");
    actor_answer_next(&other, "garden");
    actor_expect_score(&client, 1, 4);
}

Test(peers, a_worker_that_says_goodbye_gives_its_calls_back)
{
    struct actor w, other;

    worker(&w, "w", 1);
    evaluate(&client, one_row);
    actor_take_call(&w);
    actor_goodbye(&w, 0);
    worker(&other, "other", 1);
    actor_answer_next(&other, "garden");
    actor_expect_score(&client, 1, 1);
}

Test(peers, worker_holds_at_most_one_call_beyond_its_slots)
{
    struct actor w;
    int64_t first;

    worker(&w, "w", 1);
    evaluate(&client, ROW("1") ROW("2") ROW("3"));
    first = actor_take_call(&w);
    actor_take_call(&w);
    cr_expect_not(actor_hears(&w, MESSAGE_CALL, 100));
    actor_answer(&w, first, "garden");
    actor_await(&w, MESSAGE_CALL);
}

// --- single flight ---

Test(peers, two_equal_calls_make_one_request)
{
    struct actor w;

    worker(&w, "w", 4);
    evaluate(&client, equal_rows);
    actor_answer_next(&w, "garden");
    actor_expect_score(&client, 1, 2);
    cr_expect_not(actor_hears(&w, MESSAGE_CALL, 50));
}

Test(peers, equal_calls_of_two_clients_make_one_request)
{
    struct actor w, second;
    int64_t lease;

    worker(&w, "w", 4);
    actor_greet_as_client(&second, &stage, "second");
    evaluate(&client, one_row);
    lease = actor_take_call(&w);
    evaluate(&second, one_row);
    cr_expect_not(actor_hears(&w, MESSAGE_CALL, 100));
    actor_answer(&w, lease, "garden");
    actor_expect_score(&client, 1, 1);
    actor_expect_score(&second, 1, 1);
}

Test(peers, a_stored_answer_is_never_asked_again)
{
    struct actor w;

    worker(&w, "w", 1);
    evaluate(&client, one_row);
    actor_answer_next(&w, "garden");
    actor_expect_score(&client, 1, 1);
    actor_leave(&w);
    actor_leave(&client);
    stage_stop(&stage);
    stage_start(&stage);
    actor_greet_as_client(&client, &stage, "client");
    worker(&w, "w", 1);
    evaluate(&client, one_row);
    actor_expect_score(&client, 1, 1);
    cr_expect_not(actor_hears(&w, MESSAGE_CALL, 50));
}
