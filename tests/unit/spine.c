#include "spine.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "scratch.h"
#include "wire/socket.h"

enum { SPINE_DEADLINE_MS = 60000 };

void spine_init(struct spine *spine, const struct sim_options *sim)
{
    struct err err = ERR_CLEAR;

    *spine = (struct spine){.zmq = zmq_ctx_new()};
    cr_assert_not_null(
        scratch_make("spine", spine->folder, sizeof spine->folder));
    spine->sim = sim_server_start(sim, &err);
    cr_assert_not_null(spine->sim, "%s", err.text);
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = {"store.db", "store.db-wal",
                                        "store.db-shm", "store.db.lock"};
    char path[128];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void drop_result(struct spine *spine)
{
    json_decref(spine->document);
    free(spine->compiled);
    spine->document = NULL;
    spine->compiled = NULL;
}

void spine_release(struct spine *spine)
{
    spine_stop(spine);
    sim_server_stop(spine->sim);
    zmq_ctx_term(spine->zmq);
    drop_result(spine);
    remove_folder(spine->folder);
}

void spine_start(struct spine *spine, size_t n_workers, int slots)
{
    struct coordinator_options options = COORDINATOR_DEFAULTS;
    char store[128];
    struct err err = ERR_CLEAR;

    snprintf(store, sizeof store, "%s/store.db", spine->folder);
    snprintf(spine->endpoint, sizeof spine->endpoint, "inproc://spine-%d",
             spine->starts++);
    options.listen = spine->endpoint;
    options.store = store;
    options.call_timeout_ms = 5000;
    options.disk_patience_ms = 0; // a disk fault pauses the job at once
    spine->coordinator = coordinator_start(spine->zmq, &options, &err);
    cr_assert_not_null(spine->coordinator, "%s", err.text);
    for (size_t i = 0; i < n_workers; i++) {
        struct worker_options worker = {
            .coordinator = spine->endpoint,
            .address = {.backend = "ollama", .slots = slots}};

        snprintf(worker.address.url, sizeof worker.address.url,
                 "http://127.0.0.1:%u", sim_server_port(spine->sim));
        spine->workers[i] = worker_start(spine->zmq, &worker, &err);
        cr_assert_not_null(spine->workers[i], "%s", err.text);
    }
    spine->n_workers = n_workers;
}

void spine_stop(struct spine *spine)
{
    for (size_t i = 0; i < spine->n_workers; i++)
        worker_stop(spine->workers[i]);
    spine->n_workers = 0;
    coordinator_stop(spine->coordinator);
    spine->coordinator = NULL;
}

static void say(struct wire_socket *socket, const struct message *message)
{
    struct err err = ERR_CLEAR;

    cr_assert(wire_send(socket, NULL, message, &err), "%s", err.text);
}

static struct wire_socket *greet(struct spine *spine)
{
    struct wire_id id = {.len = 6, .bytes = "client"};
    struct err err = ERR_CLEAR;
    struct wire_socket *socket =
        wire_connect(spine->zmq, spine->endpoint, NULL, &id, &err);
    struct message hello = {.kind = MESSAGE_HELLO,
                            .as.hello = {.version = WIRE_VERSION,
                                         .role = PEER_CLIENT,
                                         .name = "test",
                                         .epoch = clock_monotonic_us(),
                                         .slots = 1,
                                         .software = "test",
                                         .backend = "",
                                         .server = ""}};

    cr_assert_not_null(socket, "%s", err.text);
    say(socket, &hello);
    return socket;
}

static void add_file(struct submit *submit, const char *name, const char *text)
{
    if (text != NULL)
        submit->files[submit->n_files++] =
            (struct wire_file){.name = name, .data = text, .len = strlen(text)};
}

static void send_job(const struct spine *spine, struct wire_socket *socket,
                     const char *action, const char *options, const char *job,
                     const char *examples)
{
    struct wire_file files[3];
    struct message submit = {.kind = MESSAGE_SUBMIT,
                             .as.submit = {.action = action,
                                           .options = options,
                                           .folder = "",
                                           .files = files}};

    add_file(&submit.as.submit, "job.yaml", job);
    add_file(&submit.as.submit, "examples.jsonl", examples);
    add_file(&submit.as.submit, "best.json", spine->compiled_in);
    say(socket, &submit);
}

static void keep_result(struct spine *spine, const struct result *result)
{
    struct err err = ERR_CLEAR;

    drop_result(spine);
    spine->status = result->status;
    spine->document =
        json_parse(result->document, strlen(result->document), 1 << 24, &err);
    cr_assert_not_null(spine->document, "%s", err.text);
    spine->compiled = strdup(result->compiled);
}

static void stop_job(struct wire_socket *socket, const char *job)
{
    struct message stop = {
        .kind = MESSAGE_COMMAND,
        .as.command = {.verb = "stop", .job = job, .argument = ""}};

    say(socket, &stop);
}

// Receives messages until RESULT. Stops the job once it has `stop_calls`
// answers, unless that is negative.
static void await_result(struct spine *spine, struct wire_socket *socket,
                         int64_t stop_calls)
{
    int64_t deadline = clock_monotonic_ms() + SPINE_DEADLINE_MS;
    zmq_pollitem_t item = {.socket = wire_handle(socket), .events = ZMQ_POLLIN};
    struct arena arena = ARENA_INIT(1 << 28);
    struct message message;
    bool done = false;

    while (!done) {
        struct err err = ERR_CLEAR;

        cr_assert_lt(clock_monotonic_ms(), deadline, "no result in time");
        zmq_poll(&item, 1, 100);
        if (wire_receive(socket, NULL, &arena, &message, &err) != WIRE_MESSAGE)
            continue;
        if (message.kind == MESSAGE_RESULT) {
            keep_result(spine, &message.as.result);
            done = true;
        } else if (message.kind == MESSAGE_PROGRESS && stop_calls >= 0 &&
                   message.as.progress.calls >= stop_calls) {
            stop_job(socket, message.as.progress.job);
            stop_calls = -1;
        }
        arena_release(&arena);
    }
}

void spine_submit(struct spine *spine, const char *action, const char *options,
                  const char *job, const char *examples)
{
    struct wire_socket *socket = greet(spine);

    send_job(spine, socket, action, options, job, examples);
    await_result(spine, socket, -1);
    wire_close(socket);
}

void spine_submit_and_stop(struct spine *spine, const char *job,
                           const char *examples, int64_t calls)
{
    struct wire_socket *socket = greet(spine);

    send_job(spine, socket, "run", "{}", job, examples);
    await_result(spine, socket, calls);
    wire_close(socket);
}

char *spine_examples(void)
{
    static const struct {
        const char *label, *words;
    } kinds[] = {
        {"garden", "soil seeds roses watering lawn weeds compost pruning"},
        {"kitchen", "oven recipe simmer dough knife spices boiling roast"},
        {"travel", "ticket luggage airport visa hostel train passport ferry"},
        {"music", "guitar chords melody drums concert rhythm choir violin"},
    };
    struct buf out = BUF_INIT(1 << 20);

    for (int i = 0; i < 40; i++) {
        const char *words = kinds[i % 4].words;
        char pick[3][16] = {"", "", ""};
        char all[8][16];

        sscanf(words, "%15s %15s %15s %15s %15s %15s %15s %15s", all[0], all[1],
               all[2], all[3], all[4], all[5], all[6], all[7]);
        for (int k = 0; k < 3; k++)
            strcpy(pick[k], all[(i * 3 + k * 5 + i / 8) % 8]);
        buf_printf(&out,
                   "{\"text\": \"Note %d about %s, then %s and some %s.\", "
                   "\"topic\": \"%s\"}\n",
                   i, pick[0], pick[1], pick[2], kinds[i % 4].label);
    }
    return buf_take(&out);
}
