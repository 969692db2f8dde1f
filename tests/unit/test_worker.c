#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/log.h"
#include "http_script.h"
#include "wire/lease.h"
#include "wire/socket.h"
#include "worker/worker.h"

// The test plays the coordinator; a script plays Ollama.

enum { WAIT_MS = 60000, HALT_MS = 300 };

// A coordinator that is silent for 15 of these is lost. Tests about that, or
// about heartbeats, take a short one.
enum { HEARTBEAT_MS = 4000, SHORT_MS = 100 };

static int64_t heartbeat_ms;

#define CHAT "/api/chat"
#define ANSWER                                                                 \
    "{\"message\":{\"role\":\"assistant\",\"content\":\"refund\"},"            \
    "\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":12}"
#define OTHER_DIGEST                                                           \
    "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define DIGEST                                                                 \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct err err;
static void *context;
static struct http_script *server;
static struct wire_socket *coordinator;
static struct worker *worker;
static struct wire_id peer; // the last sender
static struct arena arena;
static struct worker_options asked;

static void start_server(int port)
{
    server = http_script_start(port);
    http_script_set(server, "/api/version", SCRIPT_REPLY, 200,
                    "{\"version\":\"0.33\"}", 0);
    http_script_set(server, "/api/tags", SCRIPT_REPLY, 200,
                    "{\"models\":[{\"name\":\"gemma3:270m\",\"digest\":"
                    "\"" DIGEST "\"}]}",
                    0);
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 0);
}

static void start_coordinator(const char *endpoint)
{
    coordinator = wire_bind(context, endpoint, NULL, &err);
    cr_assert_not_null(coordinator, "%s", err.text);
}

static void start_worker(int slots)
{
    char address[80];

    snprintf(address, sizeof address, "http://127.0.0.1:%d,slots=%d",
             http_script_port(server), slots);
    cr_assert(model_address_parse("ollama", address, &asked.address, &err),
              "%s", err.text);
    asked.coordinator = wire_endpoint(coordinator);
    worker = worker_start(context, &asked, &err);
    cr_assert_not_null(worker, "%s", err.text);
}

static void set_up(void)
{
    err = ERR_CLEAR;
    asked = (struct worker_options){.name = "w1"};
    log_set_level(LOG_SILENT);
    heartbeat_ms = HEARTBEAT_MS;
    arena = ARENA_INIT(1 << 20);
    context = zmq_ctx_new();
    start_server(0);
    start_coordinator("tcp://127.0.0.1:0");
}

static void tear_down(void)
{
    worker_stop(worker);
    wire_close(coordinator);
    http_script_stop(server);
    zmq_ctx_term(context);
    arena_release(&arena);
}

TestSuite(worker, .init = set_up, .fini = tear_down, .timeout = 300);

static void send(const struct message *message)
{
    cr_assert(wire_send(coordinator, &peer, message, &err), "%s", err.text);
}

static void beat(void)
{
    const struct message message = {.kind = MESSAGE_HEARTBEAT};

    (void)wire_send(coordinator, &peer, &message, NULL);
}

// Waits for the next message other than a heartbeat; answers the worker's
// heartbeats. Returns false when none comes in time.
static bool next_within(struct message *out, int64_t wait_ms)
{
    int64_t deadline_ms = clock_monotonic_ms() + wait_ms;
    zmq_pollitem_t item = {.socket = wire_handle(coordinator),
                           .events = ZMQ_POLLIN};

    while (clock_monotonic_ms() < deadline_ms) {
        struct wire_id from;
        int64_t now = clock_monotonic_ms();
        zmq_poll(&item, 1, 20);
        // The time in which all of us were halted does not count.
        if (clock_monotonic_ms() - now > HALT_MS)
            deadline_ms += clock_monotonic_ms() - now;
        enum wire_got got = wire_receive(coordinator, &from, &arena, out, &err);
        if (got == WIRE_NOTHING)
            continue;
        cr_assert_eq(got, WIRE_MESSAGE, "%s", err.text);
        peer = from;
        if (out->kind != MESSAGE_HEARTBEAT)
            return true;
        beat();
    }
    return false;
}

static struct message expect_kind(enum message_kind kind)
{
    struct message message;

    cr_assert(next_within(&message, WAIT_MS), "no %s came",
              message_kind_name(kind));
    cr_assert_eq(message.kind, kind, "%s came instead of %s",
                 message_kind_name(message.kind), message_kind_name(kind));
    return message;
}

static void welcome(void)
{
    struct message message = {.kind = MESSAGE_WELCOME};

    message.as.welcome.heartbeat_ms = heartbeat_ms;
    message.as.welcome.name = "w1";
    send(&message);
}

static void join(int slots)
{
    start_worker(slots);
    (void)expect_kind(MESSAGE_HELLO);
    welcome();
}

static struct message make_call(int64_t id, int64_t timeout_ms)
{
    struct message message = {.kind = MESSAGE_CALL};

    message.as.call = (struct call_message){
        .id = id,
        .timeout_ms = timeout_ms,
        .digest = DIGEST,
        .request = {.model = "gemma3:270m",
                    .prefix = "[",
                    .prefix_len = 1,
                    .tail = "{\"role\":\"user\",\"content\":\"Hi\"}]",
                    .tail_len = 32,
                    .options = {.num_ctx = 512, .num_predict = 50}},
    };
    message.as.call.request.tail_len = strlen(message.as.call.request.tail);
    return message;
}

static void call(int64_t id)
{
    struct message message = make_call(id, 30000);

    send(&message);
}

static void cancel(int64_t id)
{
    struct message message = {.kind = MESSAGE_CANCEL};

    message.as.cancel.id = id;
    send(&message);
}

static void expect_fault(int64_t id, enum call_fault fault)
{
    struct message message = expect_kind(MESSAGE_FAULT);

    cr_expect_eq(message.as.fault.id, id);
    cr_expect_eq(message.as.fault.fault, (int64_t)fault, "%s: %s",
                 call_fault_name((enum call_fault)message.as.fault.fault),
                 message.as.fault.text);
    cr_expect_str_neq(message.as.fault.text, "");
}

static void expect_answer(int64_t id)
{
    struct message message = expect_kind(MESSAGE_ANSWER);

    cr_expect_eq(message.as.answer.id, id);
    cr_expect_str_eq(message.as.answer.answer.text, "refund");
}

static void expect_goodbye(int64_t open)
{
    struct message message = expect_kind(MESSAGE_GOODBYE);

    cr_expect_eq(message.as.goodbye.open, open);
}

// Keeps the conversation going until a counter of the script reaches
// `expected`.
static void wait_for(int (*read)(struct http_script *), int expected)
{
    int64_t deadline_ms = clock_monotonic_ms() + WAIT_MS;
    struct message message;

    while (read(server) != expected) {
        cr_assert_lt(clock_monotonic_ms(), deadline_ms, "it stays at %d",
                     read(server));
        cr_assert_not(next_within(&message, 20), "%s came",
                      message_kind_name(message.kind));
    }
}

static void wait_for_end(void)
{
    int64_t deadline_ms = clock_monotonic_ms() + WAIT_MS;

    while (!worker_ended(worker)) {
        cr_assert_lt(clock_monotonic_ms(), deadline_ms, "it does not end");
        zmq_poll(NULL, 0, 5);
    }
}

Test(worker, it_greets_with_what_its_server_has)
{
    start_worker(3);
    struct message message = expect_kind(MESSAGE_HELLO);
    const struct hello *hello = &message.as.hello;

    cr_expect_eq(hello->version, WIRE_VERSION);
    cr_expect_eq(hello->role, PEER_WORKER);
    cr_expect_str_eq(hello->name, "w1");
    cr_expect_eq(hello->slots, 3);
    cr_expect_str_eq(hello->backend, "ollama");
    cr_expect_str_eq(hello->server, "0.33");
    cr_expect_eq(hello->simulated, 0);
    cr_expect_eq(hello->several, 1);
    cr_expect_eq(hello->prefixes, WIRE_MAX_PREFIXES);
    cr_assert_eq(hello->n_models, 1);
    cr_expect_str_eq(hello->models[0].name, "gemma3:270m");
    cr_expect_str_eq(hello->models[0].digest, DIGEST);
}

Test(worker, a_call_comes_back_as_an_answer)
{
    join(1);
    call(7);
    expect_answer(7);
}

Test(worker, same_conversation_works_in_process)
{
    wire_close(coordinator);
    start_coordinator("inproc://coordinator");
    join(1);
    for (int64_t id = 1; id <= 200; id++) {
        call(id);
        expect_answer(id);
    }
}

// --- prefixes ---

// Sends a call that names its prefix, with or without its text.
static void call_named(int64_t id, const char *prefix, bool whole)
{
    struct message message = make_call(id, 30000);
    struct hash name = hash_of("prefix", prefix, strlen(prefix));

    message.as.call.prefix_name = (const char *)name.bytes;
    message.as.call.prefix_name_len = sizeof name.bytes;
    message.as.call.request.prefix = whole ? prefix : "";
    message.as.call.request.prefix_len = whole ? strlen(prefix) : 0;
    send(&message);
}

Test(worker, prefix_sent_once_is_in_every_request_that_names_it)
{
    static const char prefix[] = "[{\"role\":\"system\",\"content\":\"Be"
                                 " brief\"},";

    char body[2000];

    join(1);
    call_named(1, prefix, true);
    expect_answer(1);
    call_named(2, prefix, false);
    expect_answer(2);
    http_script_last_body(server, CHAT, body, sizeof body);
    cr_expect_not_null(strstr(body, "Be brief"), "%s", body);
}

// The coordinator is told, and sends the call again. Heartbeats list what the
// worker has.
Test(worker, call_with_an_unknown_prefix_is_refused_and_reported)
{
    int64_t deadline_ms = clock_monotonic_ms() + WAIT_MS;
    struct message message = {.kind = MESSAGE_FAULT};
    struct wire_id from;

    join(1);
    call_named(1, "[", false);
    while (message.kind != MESSAGE_HEARTBEAT ||
           message.as.heartbeat.lacks_len == 0) {
        cr_assert_lt(clock_monotonic_ms(), deadline_ms, "no heartbeat");
        zmq_poll(NULL, 0, 10);
        if (wire_receive(coordinator, &from, &arena, &message, &err) !=
            WIRE_MESSAGE)
            message.kind = MESSAGE_FAULT;
        else
            cr_assert_eq(message.kind, MESSAGE_HEARTBEAT, "%s came",
                         message_kind_name(message.kind));
    }
    cr_assert_eq(message.as.heartbeat.lacks_len, WIRE_LEASE_BYTES);
    cr_expect_eq(lease_read(message.as.heartbeat.lacks), 1);
    cr_expect_null(message.as.heartbeat.held, "that is another question");
    call_named(1, "[", true);
    expect_answer(1);
}

Test(worker, worker_opens_at_most_its_slots_and_holds_one_more)
{
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 300);
    join(2);
    for (int64_t id = 1; id <= 3; id++)
        call(id);
    call(4);
    expect_fault(4, FAULT_BUSY);
    for (int i = 0; i < 3; i++)
        (void)expect_kind(MESSAGE_ANSWER);
    cr_expect_eq(http_script_most_open(server), 2);
}

Test(worker, a_cancelled_call_stops_the_servers_work)
{
    struct message message;

    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    join(1);
    call(1);
    call(2);
    wait_for(http_script_open, 1);
    cancel(2);
    cancel(1);
    cancel(99);
    wait_for(http_script_hangups, 1);
    cr_expect_not(next_within(&message, 200), "%s came",
                  message_kind_name(message.kind));
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 0);
    call(3);
    expect_answer(3);
}

Test(worker, worker_sends_heartbeats_while_the_server_is_busy)
{
    int beats = 0;
    int64_t deadline_ms = clock_monotonic_ms() + WAIT_MS;

    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    heartbeat_ms = SHORT_MS;
    join(1);
    call(1);
    while (beats < 5) {
        struct message message;
        struct wire_id from;
        cr_assert_lt(clock_monotonic_ms(), deadline_ms, "%d beats", beats);
        zmq_poll(NULL, 0, 10);
        if (wire_receive(coordinator, &from, &arena, &message, &err) !=
            WIRE_MESSAGE)
            continue;
        cr_assert_eq(message.kind, MESSAGE_HEARTBEAT);
        beat();
        beats++;
    }
}

Test(worker, stalled_coordinator_gets_answers_finished_meanwhile)
{
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 0);
    heartbeat_ms = 10 * SHORT_MS;
    start_worker(1);
    expect_kind(MESSAGE_HELLO);
    welcome();
    call(1);
    zmq_poll(NULL, 0, 5 * 10 * SHORT_MS);

    expect_answer(1);
    call(2);
    expect_answer(2);
}

Test(worker, silent_coordinator_is_considered_lost_and_greeted_again)
{
    struct wire_id before;

    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    heartbeat_ms = SHORT_MS;
    start_worker(1);
    struct message first = expect_kind(MESSAGE_HELLO);
    welcome();
    call(1);
    before = peer;
    // The coordinator is silent for fifteen heartbeats.
    zmq_poll(NULL, 0, 16 * SHORT_MS);
    heartbeat_ms = HEARTBEAT_MS;
    struct message second = expect_kind(MESSAGE_HELLO);
    cr_expect_neq(second.as.hello.epoch, first.as.hello.epoch);
    cr_expect(before.len != peer.len ||
              memcmp(before.bytes, peer.bytes, peer.len) != 0);
    welcome();
    wait_for(http_script_hangups, 1);
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 0);
    call(2);
    expect_answer(2);
}

Test(worker, a_coordinator_that_comes_back_is_greeted)
{
    char endpoint[100];

    snprintf(endpoint, sizeof endpoint, "%s", wire_endpoint(coordinator));
    heartbeat_ms = SHORT_MS;
    join(1);
    heartbeat_ms = HEARTBEAT_MS;
    call(1);
    expect_answer(1);
    wire_close(coordinator);
    coordinator = NULL;
    // A heartbeat that cannot be sent tells the worker.
    zmq_poll(NULL, 0, 10 * SHORT_MS);
    int64_t deadline_ms = clock_monotonic_ms() + WAIT_MS;
    while (coordinator == NULL) { // its port is freed in the background
        coordinator = wire_bind(context, endpoint, NULL, &err);
        cr_assert_lt(clock_monotonic_ms(), deadline_ms, "%s", err.text);
        zmq_poll(NULL, 0, 10);
    }
    struct message message;
    do {
        cr_assert(next_within(&message, WAIT_MS), "no HELLO came");
    } while (message.kind != MESSAGE_HELLO);
    welcome();
    call(2);
    expect_answer(2);
}

// Acts as a coordinator that no longer knows the worker.
static void forget_worker(void)
{
    struct message message = {
        .kind = MESSAGE_REFUSED,
        .as.refused = {.code = "hello", .text = "say HELLO first"}};

    send(&message);
}

static void call_by_key(int64_t id, const char *key)
{
    struct message message = make_call(id, 30000);

    message.as.call.key = key;
    message.as.call.key_len = WIRE_KEY_BYTES;
    send(&message);
}

static void expect_hello_with(const char *key)
{
    struct message message = expect_kind(MESSAGE_HELLO);
    const struct hello *hello = &message.as.hello;

    cr_assert_eq(hello->kept_len, key == NULL ? 0 : WIRE_KEY_BYTES);
    if (key != NULL)
        cr_expect_arr_eq(hello->kept, key, WIRE_KEY_BYTES);
}

static const char key_a[] = "sixteen bytes: A";
static const char key_b[] = "sixteen bytes: B";

Test(worker, calls_in_progress_are_kept_for_the_next_coordinator)
{
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 1500);
    start_worker(1);
    expect_hello_with(NULL);
    welcome();
    call_by_key(1, key_a);
    wait_for(http_script_open, 1);
    forget_worker();
    expect_hello_with(key_a);
    welcome();
    call_by_key(9, key_a);
    expect_answer(9);
    cr_expect_eq(http_script_requests(server, CHAT), 1);
}

Test(worker, sent_answer_is_kept_until_it_is_certainly_durable)
{
    join(1);
    call_by_key(1, key_a);
    expect_answer(1);
    forget_worker(); // before the answer is durable
    expect_hello_with(key_a);
    welcome();
    call_by_key(2, key_a);
    expect_answer(2);
    call_by_key(3, key_b);
    expect_answer(3);
    // This call is the second one beyond the credit of two, so the first is
    // durable.
    call_by_key(4, "sixteen bytes: C");
    expect_answer(4);
    cr_expect_eq(http_script_requests(server, CHAT), 3);
    forget_worker();
    struct message message = expect_kind(MESSAGE_HELLO);
    cr_assert_eq(message.as.hello.kept_len, 2 * WIRE_KEY_BYTES);
    cr_expect_arr_eq(message.as.hello.kept, key_b, WIRE_KEY_BYTES);
}

// Returns the worker's next heartbeat, without answering it.
static struct heartbeat take_beat(void)
{
    int64_t deadline_ms = clock_monotonic_ms() + WAIT_MS;
    struct message message = {0};
    struct wire_id from;

    while (wire_receive(coordinator, &from, &arena, &message, &err) !=
               WIRE_MESSAGE ||
           message.kind != MESSAGE_HEARTBEAT) {
        cr_assert_lt(clock_monotonic_ms(), deadline_ms, "no heartbeat came");
        zmq_poll(NULL, 0, 5);
    }
    return message.as.heartbeat;
}

static bool beats_within(int64_t ms)
{
    int64_t deadline_ms = clock_monotonic_ms() + ms;
    struct message message = {0};
    struct wire_id from;

    while (clock_monotonic_ms() < deadline_ms) {
        if (wire_receive(coordinator, &from, &arena, &message, &err) ==
                WIRE_MESSAGE &&
            message.kind == MESSAGE_HEARTBEAT)
            return true;
        zmq_poll(NULL, 0, 5);
    }
    return false;
}

Test(worker, idle_worker_beats_slowly_until_it_has_a_call)
{
    struct message rhythm = {.kind = MESSAGE_HEARTBEAT,
                             .as.heartbeat = {.idle_ms = WIRE_IDLE_MAX_MS}};

    heartbeat_ms = 3 * SHORT_MS;
    join(1);
    cr_assert(wire_send(coordinator, &peer, &rhythm, &err), "%s", err.text);
    while (take_beat().idle_ms != WIRE_IDLE_MAX_MS)
        continue;
    while (beats_within(5 * 3 * SHORT_MS))
        continue;
    call(7);
    cr_expect(beats_within(WIRE_IDLE_MAX_MS / 2));
    cr_expect(beats_within(WIRE_IDLE_MAX_MS / 2));
}

Test(worker, heartbeats_list_the_leases_it_holds)
{
    struct heartbeat got;

    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    heartbeat_ms = 10 * SHORT_MS;
    join(1);
    got = take_beat();
    cr_expect_not_null(got.held);
    cr_expect_eq(got.held_len, 0);
    call(7);
    call(8);
    do {
        got = take_beat();
    } while (got.held_len < 2 * WIRE_LEASE_BYTES);
    cr_expect_eq(got.held_len, 2 * WIRE_LEASE_BYTES);
    cr_expect_eq(lease_read(got.held), 7);
    cr_expect_eq(lease_read(got.held + WIRE_LEASE_BYTES), 8);
}

Test(worker, lost_answer_is_resent_and_not_asked_again)
{
    join(1);
    call_by_key(1, key_a);
    expect_answer(1);
    call_by_key(1, key_a); // the coordinator did not get the answer
    expect_answer(1);
    cr_expect_eq(http_script_requests(server, CHAT), 1);
}

Test(worker, call_in_progress_is_not_restarted_under_a_new_lease)
{
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 500);
    join(2);
    call_by_key(1, key_a);
    wait_for(http_script_open, 1);
    call_by_key(1, key_a); // the call arrives twice
    call_by_key(2, key_a); // from a coordinator that lost contact for long
    cancel(1);             // and then gives up the first lease
    expect_answer(2);
    cr_expect_eq(http_script_requests(server, CHAT), 1);
}

Test(worker, call_answered_meanwhile_is_kept_too)
{
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 300);
    join(1);
    call_by_key(1, key_a);
    wait_for(http_script_open, 1);
    forget_worker();
    expect_hello_with(key_a);
    wait_for(http_script_open, 0);
    forget_worker();
    expect_hello_with(key_a);
    welcome();
    call_by_key(2, key_b);
    call_by_key(3, key_a);
    expect_answer(3);
    expect_answer(2);
    cr_expect_eq(http_script_requests(server, CHAT), 2);
}

Test(worker, waiting_call_is_not_kept)
{
    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    join(1);
    call_by_key(1, key_a);
    call_by_key(2, key_b);
    wait_for(http_script_open, 1);
    forget_worker();
    expect_hello_with(key_a);
}

Test(worker, worker_greets_again_when_told_it_is_unknown)
{
    struct message message = {.kind = MESSAGE_REFUSED};

    join(1);
    message.as.refused.code = "hello";
    message.as.refused.text = "say HELLO first";
    send(&message);
    (void)expect_kind(MESSAGE_HELLO);
}

Test(worker, a_refused_worker_tries_again)
{
    struct message message = {.kind = MESSAGE_REFUSED};

    start_worker(1);
    (void)expect_kind(MESSAGE_HELLO);
    message.as.refused.code = "digest";
    message.as.refused.text = "run `ollama pull gemma3:270m`";
    send(&message);
    (void)expect_kind(MESSAGE_HELLO);
}

Test(worker, each_fault_of_the_server_is_reported_as_itself)
{
    join(1);
    http_script_set(server, CHAT, SCRIPT_REPLY, 500, "{\"error\":\"eek\"}", 0);
    call(1);
    expect_fault(1, FAULT_SERVER);
    http_script_set(server, CHAT, SCRIPT_CUT, 200, "{", 0);
    call(2);
    expect_fault(2, FAULT_BROKEN);
    http_script_set(server, CHAT, SCRIPT_REPLY, 404, "{\"error\":\"no\"}", 0);
    call(3);
    expect_fault(3, FAULT_SERVER); // the server still lists the model
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 0);
    call(4);
    expect_answer(4);
}

// The call goes to another worker, and the greeting says which models are left.
Test(worker, worker_greets_again_when_its_server_loses_a_model)
{
    struct message message;

    join(1);
    http_script_set(server, CHAT, SCRIPT_REPLY, 404, "{\"error\":\"no\"}", 0);
    http_script_set(server, "/api/tags", SCRIPT_REPLY, 200, "{\"models\":[]}",
                    0);
    call(1);
    expect_fault(1, FAULT_LOST);
    (void)expect_kind(MESSAGE_GOODBYE);
    message = expect_kind(MESSAGE_HELLO);
    cr_expect_eq(message.as.hello.n_models, 0);
}

// The answer in flight would count as the old model's.
Test(worker, replaced_model_of_the_same_name_is_noticed_during_work)
{
    struct message message;

    asked.look_ms = 50;
    join(1);
    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    call(1);
    wait_for(http_script_open, 1);
    http_script_set(server, "/api/tags", SCRIPT_REPLY, 200,
                    "{\"models\":[{\"name\":\"gemma3:270m\",\"digest\":"
                    "\"" OTHER_DIGEST "\"}]}",
                    0);
    expect_fault(1, FAULT_LOST);
    (void)expect_kind(MESSAGE_GOODBYE);
    message = expect_kind(MESSAGE_HELLO);
    cr_assert_eq(message.as.hello.n_models, 1);
    cr_expect_str_eq(message.as.hello.models[0].digest, OTHER_DIGEST);
}

// The first answer of the other model includes the time to load it.
Test(worker, answer_of_a_replaced_model_is_not_sent)
{
    struct message message;

    asked.look_ms = 3600000;
    join(2);
    call(1);
    expect_answer(1);
    http_script_set(server, "/api/tags", SCRIPT_REPLY, 200,
                    "{\"models\":[{\"name\":\"gemma3:270m\",\"digest\":"
                    "\"" OTHER_DIGEST "\"}]}",
                    0);
    http_script_set(server, CHAT, SCRIPT_REPLY, 200,
                    "{\"message\":{\"role\":\"assistant\",\"content\":"
                    "\"other\"},\"done\":true,\"done_reason\":\"stop\","
                    "\"prompt_eval_count\":12,\"load_duration\":400000000}",
                    300);
    call(2);
    expect_fault(2, FAULT_LOST);
    (void)expect_kind(MESSAGE_GOODBYE);
    message = expect_kind(MESSAGE_HELLO);
    cr_expect_str_eq(message.as.hello.models[0].digest, OTHER_DIGEST);
}

Test(worker, answer_after_reloading_the_same_model_is_sent)
{
    join(1);
    http_script_set(server, CHAT, SCRIPT_REPLY, 200,
                    "{\"message\":{\"role\":\"assistant\",\"content\":"
                    "\"refund\"},\"done\":true,\"done_reason\":\"stop\","
                    "\"prompt_eval_count\":12,\"load_duration\":400000000}",
                    300);
    call(1);
    expect_answer(1);
    call(2);
    expect_answer(2);
}

// The server answers calls as well as before, and a job may be waiting for the
// new model.
Test(worker, added_model_is_announced_without_disturbing_calls)
{
    struct message message;
    int64_t epoch;

    asked.look_ms = 20;
    start_worker(1);
    message = expect_kind(MESSAGE_HELLO);
    epoch = message.as.hello.epoch;
    welcome();
    int looks = http_script_requests(server, "/api/tags");
    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    call(1);
    wait_for(http_script_open, 1);
    http_script_set(server, "/api/tags", SCRIPT_REPLY, 200,
                    "{\"models\":[{\"name\":\"gemma3:270m\",\"digest\":"
                    "\"" DIGEST "\"},{\"name\":\"b\",\"digest\":\"b\"}]}",
                    0);
    message = expect_kind(MESSAGE_HELLO);
    cr_expect_eq(message.as.hello.epoch, epoch, "the greeting that it gave");
    cr_expect_eq(message.as.hello.n_models, 2);
    looks = http_script_requests(server, "/api/tags");
    while (http_script_requests(server, "/api/tags") < looks + 3)
        cr_assert_not(next_within(&message, 20), "%s came",
                      message_kind_name(message.kind));
    cr_expect_eq(http_script_open(server), 1);
    cr_expect_eq(http_script_hangups(server), 0);
}

Test(worker, a_call_that_takes_longer_than_its_time_is_a_timeout)
{
    struct message message = make_call(1, 200);

    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    join(1);
    send(&message);
    expect_fault(1, FAULT_TIMEOUT);
}

Test(worker, a_busy_server_is_asked_again_before_the_call_goes_back)
{
    join(1);
    http_script_set(server, CHAT, SCRIPT_REPLY, 503, "{\"error\":\"busy\"}", 0);
    call(1);
    expect_fault(1, FAULT_BUSY);
    cr_expect_eq(http_script_requests(server, CHAT), 4);
}

// The call goes back at once, and the next one waits until the server accepts
// it.
Test(worker, server_that_asks_for_a_delay_is_given_it)
{
    struct message message;

    join(1);
    http_script_set(server, CHAT, SCRIPT_NOISE, 0,
                    "HTTP/1.1 429 Slow Down\r\nRetry-After: 60\r\n"
                    "Content-Length: 2\r\n\r\n{}",
                    0);
    call(1);
    expect_fault(1, FAULT_BUSY);
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 0);
    call(2);
    cr_expect_not(next_within(&message, 500));
    cr_expect_eq(http_script_requests(server, CHAT), 1);
}

Test(worker, a_server_busy_for_a_moment_costs_only_time)
{
    struct message message;

    join(1);
    http_script_set(server, CHAT, SCRIPT_REPLY, 503, "{\"error\":\"busy\"}", 0);
    call(1);
    cr_expect_not(next_within(&message, 150));
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 0);
    expect_answer(1);
}

Test(worker, a_model_with_another_digest_is_not_asked)
{
    struct message message = make_call(1, 30000);

    message.as.call.digest = "another";
    join(1);
    send(&message);
    expect_fault(1, FAULT_MODEL);
    cr_expect_eq(http_script_requests(server, CHAT), 0);
}

Test(worker, worker_leaves_while_its_server_is_dead)
{
    int port = http_script_port(server);
    struct message message;

    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    join(1);
    call(1);
    call(2);
    wait_for(http_script_open, 1);
    http_script_stop(server);
    server = NULL;
    expect_fault(1, FAULT_BROKEN);
    expect_fault(2, FAULT_REFUSED);
    expect_goodbye(0);
    cr_expect_not(next_within(&message, 500));
    start_server(port);
    (void)expect_kind(MESSAGE_HELLO);
    welcome();
    call(3);
    expect_answer(3);
}

Test(worker, worker_waits_for_a_server_that_is_not_up_yet)
{
    int port = http_script_port(server);
    struct message message;

    start_worker(1);
    // A greeting that is already on its way is not answered.
    http_script_stop(server);
    server = NULL;
    while (next_within(&message, 1000))
        continue;
    start_server(port);
    (void)expect_kind(MESSAGE_HELLO);
}

Test(worker, draining_finishes_open_calls_and_hands_back_the_rest)
{
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 500);
    join(1);
    call(1);
    call(2);
    wait_for(http_script_open, 1);
    worker_drain(worker);
    expect_fault(2, FAULT_LOST);
    expect_goodbye(1);
    cr_expect_not(worker_ended(worker));
    call(3);
    expect_fault(3, FAULT_LOST);
    expect_answer(1);
    expect_goodbye(0);
    wait_for_end();
    cr_expect_eq(http_script_requests(server, CHAT), 1);
}

Test(worker, an_idle_worker_drains_with_one_goodbye)
{
    join(1);
    call(1);
    expect_answer(1);
    worker_drain(worker);
    expect_goodbye(0);
    wait_for_end();
}

Test(worker, draining_without_a_coordinator_ends_at_once)
{
    start_worker(1);
    worker_drain(worker);
    wait_for_end();
}

Test(worker, nonsense_from_the_coordinator_does_not_end_the_worker)
{
    join(1);
    // {"kind": 99} and a call without an id.
    static const char *const frames[] = {"\x81\xa4kind\x63", "\x81\xa4kind\x04",
                                         "nonsense"};
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        void *handle = wire_handle(coordinator);
        zmq_send(handle, peer.bytes, peer.len, ZMQ_SNDMORE);
        zmq_send(handle, frames[i], strlen(frames[i]), 0);
    }
    call(1);
    expect_answer(1);
}

Test(worker, name_that_is_not_text_is_refused)
{
    struct worker_options options = {.coordinator = "tcp://127.0.0.1:9",
                                     .name = "\xff"};

    cr_assert(model_address_parse("ollama", "http://127.0.0.1:9",
                                  &options.address, &err));
    cr_expect_null(worker_start(context, &options, &err));
    cr_expect_eq(err.code, ERR_INPUT);
}
