// The loop stays responsive: whatever clients send and whatever the disk does,
// no turn of it is long. Blocking shows in the wall-clock time, computing in
// the processor's time. A busy machine lengthens only the wall-clock time. So
// the bound on that is far above 100 ms, but far below the stalls that the
// tests cause.

#include <criterion/criterion.h>
#include <string.h>
#include <sys/resource.h>

#include <zmq.h>

#include "common/buf.h"
#include "common/clock.h"
#include "coordinator/coordinator_state.h"
#include "coordinator/engine.h"
#include "fault/vfs_fault.h"
#include "unit/stage.h"
#include "wire/monitor.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOWER = 4 }; // factor that sanitizers cost
#else
enum { SLOWER = 1 };
#endif

enum {
    CPU_MS = 100 * SLOWER,
    WALL_MS = 2500,
    STALL_MS = 4000, // for which the disk stalls
    LARGE_BYTES =
        (24 << 20) - (1 << 14), // of each of two files; 48 MiB is the most
    MANY = 5000,                // workers
    CROWD = 2500,               // workers that greet late
    CLIENTS = 5,
    QUESTIONS = 30, // of each kind
};

#define JOB                                                                    \
    "name: notes\n"                                                            \
    "models: {student: 'little:1b'}\n"                                         \
    "inputs: {text: {desc: A note}}\n"                                         \
    "steps:\n"                                                                 \
    "  sort:\n"                                                                \
    "    predict: Say what the note is about.\n"                               \
    "    inputs: [text]\n"                                                     \
    "    outputs: {topic: %s}\n"                                               \
    "data: %s\n"                                                               \
    "metric: {exact_match: topic}\n"                                           \
    "optimizer: {labeled_few_shot: {k: 1}}\n"

static struct stage stage;
static struct actor client, w;
static struct buf rows;
static char job[1024];

static void set_up(void)
{
    struct rlimit fds;

    vfs_fault_install();
    stage_open(&stage);
    cr_assert_eq(zmq_ctx_set(stage.zmq, ZMQ_MAX_SOCKETS, 2 * MANY), 0);
    if (getrlimit(RLIMIT_NOFILE, &fds) == 0 && fds.rlim_cur < fds.rlim_max) {
        fds.rlim_cur = fds.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &fds);
    }
    stage_start(&stage);
    actor_greet_as_client(&client, &stage, "client");
    rows = BUF_INIT(64 << 20);
}

static void tear_down(void)
{
    vfs_fault_slow(0);
    if (w.socket != NULL)
        actor_leave(&w);
    actor_leave(&client);
    stage_close(&stage);
    buf_release(&rows);
}

TestSuite(turn, .init = set_up, .fini = tear_down, .timeout = 300);

static void expect_short_turns(void)
{
    struct turn_report longest = turn_longest(&stage.coordinator->engine.turn);

    cr_expect_lt(longest.wall_ms, WALL_MS, "%d ms, %d of them for %s",
                 (int)longest.wall_ms, (int)longest.step_ms, longest.step);
    cr_expect_lt(longest.cpu_ms, CPU_MS, "%d ms of the processor",
                 (int)longest.cpu_ms);
}

static void submit_files(const char *type, const char *data,
                         const struct stage_file *files)
{
    (void)snprintf(job, sizeof job, JOB, type, data);
    actor_submit(&client, "run", "{}", "", job, files);
}

static void submit(const char *type)
{
    const struct stage_file files[] = {{"rows.jsonl", rows.data}, {NULL, NULL}};

    submit_files(type, "{examples: rows.jsonl}", files);
}

static void add_rows(int n, const char *topic)
{
    for (int i = 0; i < n; i++)
        buf_printf(&rows, "{\"text\": \"note %d\", \"topic\": \"%s\"}\n", i,
                   topic);
    cr_assert_not(rows.failed);
}

// Returns true if the coordinator says anything within ms; it sends a heartbeat
// every second.
static bool is_alive(int64_t ms)
{
    return actor_hears(&client, MESSAGE_HEARTBEAT, ms);
}

static void add_large_rows(struct buf *out, char with)
{
    char filler[4001];

    memset(filler, with, sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    for (int i = 0; out->len < LARGE_BYTES; i++)
        buf_printf(out, "{\"text\": \"%d %s\", \"topic\": \"garden\"}\n", i,
                   filler);
    cr_assert_not(out->failed);
}

Test(turn, large_submission_is_read_without_blocking_the_loop)
{
    struct buf more = BUF_INIT(64 << 20);

    add_large_rows(&rows, 'x');
    add_large_rows(&more, 'y');
    const struct stage_file files[] = {
        {"rows.jsonl", rows.data}, {"more.jsonl", more.data}, {NULL, NULL}};
    submit_files("{enum: [garden, kitchen]}",
                 "{train: rows.jsonl, val: more.jsonl}", files);
    buf_release(&more);
    rows.len = 0;
    cr_assert(actor_hears(&client, MESSAGE_ACCEPTED, 60000));
    json_decref(actor_command(&client, "jobs", ""));
    cr_expect(is_alive(5000));
    expect_short_turns();
}

// Rows that would take half a minute if each could backtrack without limit.
Test(turn, costly_pattern_is_refused_without_blocking_the_loop)
{
    int64_t status;
    json_t *document;

    add_rows(2000, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
    submit("{type: str, pattern: '^(a|a)*$'}");
    cr_assert(actor_hears(&client, MESSAGE_RESULT, 60000));
    status = client.message.as.result.status;
    cr_expect_eq(status, 2);
    document = json_loads(client.message.as.result.document, 0, NULL);
    cr_expect_not_null(strstr(stage_error(document), "too costly"), "%s",
                       stage_error(document));
    json_decref(document);
    expect_short_turns();
}

// The disk stalls while a job is running. The job's answers wait, but peers are
// still answered.
Test(turn, stalling_disk_does_not_block_the_loop)
{
    int64_t began = clock_monotonic_ms();

    add_rows(40, "garden");
    actor_greet_as_worker(&w, &stage, "w", 4, STAGE_DIGEST);
    submit("{enum: [garden, kitchen]}");
    cr_assert(actor_hears(&client, MESSAGE_ACCEPTED, 60000));
    vfs_fault_slow(STALL_MS);
    for (int i = 0; i < 4; i++)
        actor_answer(&w, actor_take_call(&w), "garden");
    for (int i = 0; i < 3; i++)
        cr_expect(is_alive(3500), "no heartbeat after %d ms",
                  (int)(clock_monotonic_ms() - began));
    json_decref(actor_command(&client, "workers", ""));
    actor_say(&client, &(struct message){.kind = MESSAGE_COMMAND,
                                         .as.command = {.verb = "stop",
                                                        .job = "notes",
                                                        .argument = ""}});
    cr_expect(actor_hears(&client, MESSAGE_RESULT, 60000));
    expect_short_turns();
}

// More questions than are taken at once; each client stays below the limit that
// counts as a flood.
Test(turn, many_queries_at_once_do_not_block_the_loop)
{
    struct message question = {
        .kind = MESSAGE_COMMAND,
        .as.command = {.verb = "jobs", .job = "", .argument = ""}};
    struct actor asking[CLIENTS];
    int busy = 0;

    for (int i = 0; i < CLIENTS; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "client-%d", i);
        actor_greet_as_client(&asking[i], &stage, name);
    }
    for (int i = 0; i < CLIENTS * QUESTIONS; i++)
        actor_say(&asking[i % CLIENTS], &question);
    for (int i = 0; i < CLIENTS * QUESTIONS; i++) {
        const struct message *reply =
            actor_await(&asking[i % CLIENTS], MESSAGE_REPLY);

        busy += strstr(reply->as.reply.document,
                       "too many questions at once") != NULL;
    }
    cr_expect_lt(busy, CLIENTS * QUESTIONS);
    expect_short_turns();
    for (int i = 0; i < CLIENTS; i++)
        actor_leave(&asking[i]);
}

static struct wire_socket *connect_numbered(int i)
{
    struct wire_id id = {.len = 8};
    struct err err = ERR_CLEAR;
    char name[16];

    (void)snprintf(name, sizeof name, "w%07d", i);
    memcpy(id.bytes, name, 8);
    return wire_connect(stage.zmq, stage.endpoint, NULL, &id, &err);
}

static void greet_numbered(struct wire_socket *socket, int i)
{
    struct wire_model model = {.name = STAGE_MODEL, .digest = STAGE_DIGEST};
    struct message hello = {.kind = MESSAGE_HELLO};
    struct err err = ERR_CLEAR;
    char name[16];

    (void)snprintf(name, sizeof name, "w%07d", i);
    hello.as.hello = actor_worker_hello(name, i + 1, 16, &model);
    cr_assert(wire_send(socket, NULL, &hello, &err), "%s", err.text);
}

static bool is_welcome(struct wire_socket *socket)
{
    struct arena arena = ARENA_INIT(1 << 20);
    struct message message = {.kind = MESSAGE_HEARTBEAT};
    struct err err = ERR_CLEAR;

    while (message.kind != MESSAGE_WELCOME &&
           wire_receive(socket, NULL, &arena, &message, &err) == WIRE_MESSAGE)
        continue;
    arena_release(&arena);
    return message.kind == MESSAGE_WELCOME;
}

// After a restart, all workers are back before the first of them has its turn.
// Nobody is cut off because others came later.
Test(turn, crowd_that_reconnects_at_once_is_admitted)
{
    static struct wire_socket *sockets[CROWD];
    struct monitor_event event;
    void *monitor;
    int n = 0;

    for (; n < CROWD && (sockets[n] = connect_numbered(n)) != NULL; n++)
        while (!wire_writable(sockets[n]))
            zmq_poll(NULL, 0, 1);
    cr_assert_gt(n, 0);
    monitor = monitor_open(stage.zmq, wire_handle(sockets[0]),
                           ZMQ_EVENT_DISCONNECTED);
    cr_assert_not_null(monitor);
    for (int i = 0; i < n; i++)
        greet_numbered(sockets[i], i);
    for (int i = 0; i < n; i++)
        while (!is_welcome(sockets[i]))
            zmq_poll(NULL, 0, 1);
    cr_expect_not(monitor_take(monitor, &event));
    monitor_close(wire_handle(sockets[0]), monitor);
    for (int i = 0; i < n; i++)
        wire_close(sockets[i]);
}

Test(turn, five_thousand_workers_can_join_at_once)
{
    static struct wire_socket *sockets[MANY];

    for (int i = 0; i < MANY; i++) {
        sockets[i] = connect_numbered(i);
        if (sockets[i] == NULL)
            break; // this machine has no more descriptors for the test
        greet_numbered(sockets[i], i);
    }
    add_rows(4000, "garden");
    submit("{enum: [garden, kitchen]}");
    cr_assert(actor_hears(&client, MESSAGE_ACCEPTED, 60000));
    for (int i = 0; i < 5; i++)
        cr_expect(actor_hears(&client, MESSAGE_PROGRESS, 5000));
    expect_short_turns();
    for (int i = 0; i < MANY; i++)
        wire_close(sockets[i]);
}
