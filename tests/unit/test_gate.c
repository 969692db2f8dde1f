#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

#include "common/clock.h"
#include "common/log.h"
#include "wire/gate.h"
#include "wire/refusal.h"
#include "wire/socket.h"

static struct err err;
static struct arena arena;
static void *context;
static char folder[64];
static struct key own, worker;
static struct gate *gate;
static struct wire_socket *router;

static const char *path_of(const char *name)
{
    static char path[160];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void allow(const struct key *key)
{
    cr_assert(key_write_public(path_of("one.pub"), key, &err), "%s", err.text);
}

static void set_up(void)
{
    log_set_level(LOG_SILENT);
    err = ERR_CLEAR;
    arena = ARENA_INIT(1 << 20);
    context = zmq_ctx_new();
    (void)snprintf(folder, sizeof folder, "/tmp/promptcc-gate-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert(key_make(KEY_COORDINATOR, "coordinator", "", &own, &err));
    cr_assert(key_make(KEY_WORKER, "one", own.public_key, &worker, &err));
    allow(&worker);
    gate = gate_start(context, folder, &err);
    cr_assert_not_null(gate, "%s", err.text);
    router = wire_bind(context, "tcp://127.0.0.1:0", &own, &err);
    cr_assert_not_null(router, "%s", err.text);
}

static void tear_down(void)
{
    char command[128];

    wire_close(router);
    gate_stop(gate);
    zmq_ctx_term(context);
    arena_release(&arena);
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(gate, .init = set_up, .fini = tear_down, .timeout = 300);

static struct wire_socket *connect_with(const struct key *key)
{
    struct wire_id id = {.len = 3, .bytes = "one"};
    struct wire_socket *socket =
        wire_connect(context, wire_endpoint(router), key, &id, &err);

    cr_assert_not_null(socket, "%s", err.text);
    return socket;
}

// Returns whether a message gets through.
static bool gets_through(struct wire_socket *socket, int64_t patience_ms)
{
    int64_t deadline_ms = clock_monotonic_ms() + patience_ms;
    const struct message beat = {.kind = MESSAGE_HEARTBEAT};
    struct message message;
    struct wire_id from;

    while (clock_monotonic_ms() < deadline_ms) {
        struct err why = ERR_CLEAR;

        (void)wire_send(socket, NULL, &beat, NULL);
        if (wire_receive(router, &from, &arena, &message, &why) == WIRE_MESSAGE)
            return true;
        (void)zmq_poll(NULL, 0, 10);
    }
    return false;
}

// Tries a key that is refused, and checks the reason that is given.
static void expect_refusal(const struct key *key, const char *why)
{
    struct wire_socket *socket = connect_with(key);
    int64_t deadline_ms = clock_monotonic_ms() + 60000;

    cr_expect_not(gets_through(socket, 300));
    wire_close(socket);
    while (!refusal_explain(context, wire_endpoint(router), key, &err))
        cr_assert_lt(clock_monotonic_ms(), deadline_ms);
    cr_expect_not_null(strstr(err.text, why), "%s", err.text);
}

static bool wait_for_change(unsigned before)
{
    int64_t deadline_ms = clock_monotonic_ms() + 60000;

    while (gate_changes(gate) == before && clock_monotonic_ms() < deadline_ms)
        (void)zmq_poll(NULL, 0, 10);
    return gate_changes(gate) != before;
}

Test(gate, an_allowed_key_gets_through_and_is_named)
{
    struct wire_socket *socket = connect_with(&worker);
    struct key found;

    cr_assert(gets_through(socket, 60000), "%s", err.text);
    cr_expect_str_eq(wire_peer_key(router), worker.public_key);
    cr_assert(gate_find(gate, wire_peer_key(router), &found));
    cr_expect_eq(found.role, KEY_WORKER);
    cr_expect_str_eq(found.name, "one");
    wire_close(socket);
}

Test(gate, frame_of_maximum_length_gets_through)
{
    struct wire_socket *socket = connect_with(&worker);
    static char data[WIRE_PART_BYTES];
    struct message part = {
        .kind = MESSAGE_PART,
        .as.part = {.of = 1 << 20, .data = data, .len = sizeof data}};
    struct message got;
    struct wire_id from;
    zmq_pollitem_t item = {.socket = wire_handle(router), .events = ZMQ_POLLIN};

    cr_assert(gets_through(socket, 60000), "%s", err.text);
    cr_assert(wire_send(socket, NULL, &part, &err), "%s", err.text);
    do
        cr_assert_gt(zmq_poll(&item, 1, 60000), 0);
    while (wire_receive(router, &from, &arena, &got, &err) == WIRE_MESSAGE &&
           got.kind == MESSAGE_HEARTBEAT);
    cr_expect_eq(got.kind, MESSAGE_PART);
    wire_close(socket);
}

Test(gate, key_that_is_not_allowed_gets_the_reason)
{
    struct key other;

    cr_assert(key_make(KEY_WORKER, "one", own.public_key, &other, &err));
    expect_refusal(&other, "does not allow this key");
}

Test(gate, unencrypted_connection_is_refused)
{
    expect_refusal(NULL, "--keys DIR");
}

Test(gate, key_for_another_coordinator_gets_the_reason)
{
    struct key elsewhere, lost;

    cr_assert(key_make(KEY_COORDINATOR, "coordinator", "", &elsewhere, &err));
    cr_assert(key_make(KEY_WORKER, "one", elsewhere.public_key, &lost, &err));
    expect_refusal(&lost, "make a new one there");
}

Test(gate, changes_in_the_folder_take_effect_within_moments)
{
    unsigned before = gate_changes(gate);
    struct key other, found;

    cr_assert(key_make(KEY_CLIENT, "two", own.public_key, &other, &err));
    cr_expect_not(gate_find(gate, other.public_key, &found));
    cr_assert(key_write_public(path_of("two.pub"), &other, &err));
    cr_assert(wait_for_change(before));
    cr_assert(gate_find(gate, other.public_key, &found));
    cr_expect_eq(found.role, KEY_CLIENT);

    before = gate_changes(gate);
    cr_assert_eq(unlink(path_of("one.pub")), 0);
    cr_assert(wait_for_change(before));
    cr_expect_not(gate_find(gate, worker.public_key, &found));
}

Test(gate, file_that_is_not_a_key_is_ignored)
{
    unsigned before = gate_changes(gate);
    struct key found;
    FILE *file = fopen(path_of("bad.pub"), "w");

    cr_assert_not_null(file);
    (void)fputs("hello\n", file);
    (void)fclose(file);
    cr_assert(wait_for_change(before));
    cr_expect(gate_find(gate, worker.public_key, &found));
}

Test(gate, without_its_folder_it_does_not_start)
{
    cr_expect_null(gate_start(context, path_of("nowhere"), &err));
    cr_expect_eq(err.code, ERR_INPUT);
}
