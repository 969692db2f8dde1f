#include "rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

#include "common/clock.h"
#include "common/large_arrays.h"
#include "common/log.h"
#include "wire/socket.h"

enum { POLL_MS = 20, SETTLE_MS = 1300 };

void rig_folder_make(struct rig_folder *folder)
{
    const char *where = getenv("BENCH_FOLDER");

    (void)snprintf(folder->path, sizeof folder->path, "%.100s/bench-XXXXXX",
                   where == NULL ? "/tmp" : where);
    if (mkdtemp(folder->path) == NULL) {
        perror("bench");
        exit(EXIT_FAILURE);
    }
    (void)snprintf(folder->store, sizeof folder->store, "%s/store.db",
                   folder->path);
}

void rig_folder_remove(const struct rig_folder *folder)
{
    static const char *const names[] = {
        "store.db", "store.db-wal", "store.db-shm", "store.db.lock", "socket"};
    char path[192];

    if (getenv("BENCH_KEEP") != NULL) {
        (void)fprintf(stderr, "kept %s\n", folder->store);
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder->path, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder->path);
}

static void make_key(const struct rig_keys *keys, enum key_role role,
                     const char *name, const char *coordinator, struct key *out)
{
    char path[256];
    struct err err = ERR_CLEAR;
    bool secret = role == KEY_COORDINATOR;

    (void)snprintf(path, sizeof path, "%s/%s%s", keys->path,
                   secret ? "" : "allowed/", secret ? "coordinator.key" : name);
    if (!key_make(role, "bench", coordinator, out, &err) ||
        !(secret ? key_write_secret : key_write_public)(path, out, &err))
        die(&err);
}

void rig_keys_make(const struct rig_folder *folder, struct rig_keys *keys)
{
    char allowed[192];
    struct key own;

    (void)snprintf(keys->path, sizeof keys->path, "%s/keys", folder->path);
    (void)snprintf(allowed, sizeof allowed, "%s/allowed", keys->path);
    if (mkdir(keys->path, 0700) != 0 || mkdir(allowed, 0700) != 0)
        abort();
    make_key(keys, KEY_COORDINATOR, "", "", &own);
    make_key(keys, KEY_WORKER, "worker.pub", own.public_key, &keys->worker);
    make_key(keys, KEY_CLIENT, "client.pub", own.public_key, &keys->client);
}

void rig_keys_remove(const struct rig_keys *keys)
{
    static const char *const names[] = {"allowed/worker.pub",
                                        "allowed/client.pub", "coordinator.key",
                                        "allowed", "."};
    char path[256];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", keys->path,
                       names[i][0] == '.' ? "" : names[i]);
        (void)remove(path);
    }
}

// ZeroMQ starts its threads with the first socket, so make one before counting.
static void wake_zmq(void *zmq)
{
    void *socket = zmq_socket(zmq, ZMQ_PAIR);

    if (socket != NULL)
        (void)zmq_close(socket);
}

struct coordinator *rig_start(void *zmq, const char *endpoint,
                              const struct rig_folder *folder, const char *keys,
                              struct thread_list *threads)
{
    struct coordinator_options options = COORDINATOR_DEFAULTS;
    struct thread_list before, after, both;
    struct err err = ERR_CLEAR;
    struct coordinator *coordinator = NULL;

    options.listen = endpoint;
    options.store = folder->store;
    options.keys = keys;
    wake_zmq(zmq);
    thread_list_read(&before);
    large_arrays_map(); // as the program does
    coordinator = coordinator_start(zmq, &options, &err);
    if (coordinator == NULL)
        die(&err);
    thread_list_read(&after);
    thread_list_new(&before, &after, &both);
    if (both.n < 2) {
        err_set(&err, ERR_INPUT, "a coordinator of %zu threads", both.n);
        die(&err);
    }
    // The writer is started first and the loop last. In between are the
    // background threads, which have almost nothing to do here.
    *threads = (struct thread_list){.ids = {both.ids[both.n - 1], both.ids[0]},
                                    .n = 2};
    return coordinator;
}

void rig_settle(void)
{
    (void)zmq_poll(NULL, 0, SETTLE_MS);
}

static void say(struct wire_socket *socket, const struct message *message)
{
    struct err err = ERR_CLEAR;

    while (!wire_send(socket, NULL, message, &err)) {
        if (err.code != ERR_BUSY)
            die(&err);
        err = ERR_CLEAR;
        (void)zmq_poll(NULL, 0, 1);
    }
}

static void submit(struct wire_socket *socket, const struct load *load)
{
    struct message hello = {.kind = MESSAGE_HELLO,
                            .as.hello = {.version = WIRE_VERSION,
                                         .role = PEER_CLIENT,
                                         .name = "bench",
                                         .epoch = clock_monotonic_us(),
                                         .slots = 1,
                                         .software = "bench",
                                         .backend = "",
                                         .server = ""}};
    struct message message = {
        .kind = MESSAGE_SUBMIT,
        .as.submit = {.action = "run",
                      .options = "{}",
                      .folder = "",
                      .files = (struct wire_file *)load->files,
                      .n_files = LOAD_FILES}};

    say(socket, &hello);
    say(socket, &message);
}

static void await_result(struct wire_socket *socket, struct rig_result *out)
{
    zmq_pollitem_t item = {.socket = wire_handle(socket), .events = ZMQ_POLLIN};
    struct arena arena = ARENA_INIT(1 << 28);
    struct message message;

    // A client that stays silent for long is assumed to be gone.
    static const struct message beat = {.kind = MESSAGE_HEARTBEAT};
    double beaten = wall_s();

    while (out->document == NULL) {
        struct err err = ERR_CLEAR;

        (void)zmq_poll(&item, 1, POLL_MS);
        if (wall_s() - beaten > 1) {
            beaten = wall_s();
            (void)wire_send(socket, NULL, &beat, NULL);
        }
        if (wire_receive(socket, NULL, &arena, &message, &err) ==
                WIRE_MESSAGE &&
            message.kind == MESSAGE_RESULT) {
            out->status = message.as.result.status;
            out->document = strdup(message.as.result.document);
            if (out->document == NULL)
                abort();
        }
        arena_release(&arena);
    }
}

void rig_run(void *zmq, const char *endpoint, const struct key *key,
             const struct load *load, struct rig_result *out)
{
    struct wire_id id = {.len = 5, .bytes = "bench"};
    struct err err = ERR_CLEAR;
    struct wire_socket *socket = wire_connect(zmq, endpoint, key, &id, &err);
    double begun = wall_s();

    if (socket == NULL)
        die(&err);
    *out = (struct rig_result){0};
    submit(socket, load);
    await_result(socket, out);
    out->wall_s = wall_s() - begun;
    wire_close(socket);
    if (out->status == 0)
        return;
    err_set(&err, ERR_INPUT, "the job ended with %" PRId64 ": %.180s",
            out->status, out->document);
    die(&err);
}

void rig_result_release(struct rig_result *result)
{
    free(result->document);
    *result = (struct rig_result){0};
}
