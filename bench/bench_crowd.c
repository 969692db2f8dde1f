// bench_crowd: what thousands of idle workers cost a coordinator.
//
//   bench_crowd [WORKERS]      5000 unless told
//
// The workers are connections of a child process that greet, beat as WELCOME
// says, and greet anew when they are told to. Printed are the coordinator's
// memory for each, its processor time while nothing happens but heartbeats, and
// how long after a restart all are back.

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

#include "common/clock.h"
#include "common/descriptors.h"
#include "coordinator/coordinator.h"
#include "wire/socket.h"

enum {
    MOST = 20000,
    WATCH_S = 10,
    RETRY_MS = 100,
    PATIENCE_MS = 3000,
    TURN_MS = 50,
    XX
};

// --- the child: workers ---

struct crowd_worker {
    struct wire_socket *socket; // NULL while it waits
    int64_t beat_ms, due_ms, every_ms;
    bool welcome, greeted;
};

static struct crowd_worker workers[MOST];

static void connect_worker(void *zmq, const char *endpoint, int i)
{
    struct err err = ERR_CLEAR;
    struct wire_id id = {0};
    char text[WIRE_ID_MAX];

    id.len = (uint8_t)snprintf(text, sizeof text, "w%d-%lld", i,
                               (long long)clock_monotonic_us());
    memcpy(id.bytes, text, id.len);
    workers[i] = (struct crowd_worker){
        .socket = wire_connect(zmq, endpoint, NULL, &id, &err)};
    if (workers[i].socket == NULL)
        exit(1);
}

static bool greet(int i)
{
    char name[32];
    struct message hello = {.kind = MESSAGE_HELLO,
                            .as.hello = {.version = WIRE_VERSION,
                                         .role = PEER_WORKER,
                                         .name = name,
                                         .epoch = clock_monotonic_us(),
                                         .slots = 1,
                                         .software = "crowd",
                                         .backend = "ollama",
                                         .server = "1"}};

    (void)snprintf(name, sizeof name, "crowd-%d", i);
    return wire_send(workers[i].socket, NULL, &hello, NULL);
}

static void part(struct crowd_worker *worker, int64_t now)
{
    wire_close(worker->socket);
    worker->socket = NULL;
    worker->welcome = false;
    worker->due_ms = now + RETRY_MS + rand() % RETRY_MS;
}

static void take_all(struct crowd_worker *worker, int64_t now)
{
    struct arena arena = ARENA_INIT(1 << 20);
    struct message message;
    struct err err = ERR_CLEAR;

    while (worker->socket != NULL &&
           wire_receive(worker->socket, NULL, &arena, &message, &err) ==
               WIRE_MESSAGE) {
        if (message.kind == MESSAGE_WELCOME) {
            worker->welcome = true;
            worker->every_ms = message.as.welcome.heartbeat_ms;
            worker->beat_ms = now + rand() % worker->every_ms;
        } else if (message.kind == MESSAGE_REFUSED) {
            part(worker, now);
        }
        arena_release(&arena);
    }
}

static void turn(void *zmq, const char *endpoint, int i, int64_t now)
{
    static const struct message beat = {.kind = MESSAGE_HEARTBEAT};
    struct crowd_worker *worker = &workers[i];

    take_all(worker, now);
    if (worker->socket == NULL && now >= worker->due_ms)
        connect_worker(zmq, endpoint, i);
    if (worker->socket == NULL)
        return;
    if (!worker->greeted) {
        worker->greeted = greet(i);
        worker->due_ms = now + PATIENCE_MS;
    } else if (!worker->welcome && now > worker->due_ms) {
        part(worker, now);
        return;
    }
    if (worker->welcome && now >= worker->beat_ms) {
        worker->beat_ms = now + worker->every_ms;
        (void)wire_send(worker->socket, NULL, &beat, NULL);
    }
}

// Tells through the pipe how many are welcome whenever that changes.
static void be_crowd(const char *endpoint, int n, int out)
{
    void *zmq = zmq_ctx_new();
    int told = -1;

    zmq_ctx_set(zmq, ZMQ_MAX_SOCKETS, n + 16);
    for (int i = 0; i < n; i++)
        connect_worker(zmq, endpoint, i);
    for (;;) {
        int welcome = 0;
        struct timespec pause = {.tv_nsec = TURN_MS * 1000000L};

        for (int i = 0; i < n; i++) {
            turn(zmq, endpoint, i, clock_monotonic_ms());
            welcome += workers[i].welcome;
        }
        if (welcome != told && write(out, &welcome, sizeof welcome) < 0)
            exit(0);
        told = welcome;
        (void)nanosleep(&pause, NULL);
    }
}

// --- the parent: a coordinator ---

static int64_t memory_bytes(void)
{
    long pages = 0;
    long skipped = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%ld %ld", &skipped, &pages) != 2)
        exit(1);
    (void)fclose(file);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

// Milliseconds until the child says that all n are welcome, or no longer.
static int64_t await(int in, int n, bool all)
{
    int64_t began = clock_monotonic_ms();
    int welcome = 0;

    do
        if (read(in, &welcome, sizeof welcome) != sizeof welcome)
            exit(1);
    while ((welcome == n) != all);
    return clock_monotonic_ms() - began;
}

static struct coordinator *start(void *zmq, const char *listen,
                                 const char *store)
{
    struct coordinator_options options = COORDINATOR_DEFAULTS;
    struct err err = ERR_CLEAR;
    struct coordinator *coordinator = NULL;

    options.listen = listen;
    options.store = store;
    // The old one's port may be in use for a moment.
    for (int tries = 0; tries < 100; tries++) {
        struct timespec pause = {.tv_nsec = 50000000};

        err.code = ERR_NONE;
        coordinator = coordinator_start(zmq, &options, &err);
        if (coordinator != NULL || err.code != ERR_BUSY)
            break;
        (void)nanosleep(&pause, NULL);
    }
    if (coordinator == NULL) {
        (void)fprintf(stderr, "bench_crowd: %s\n", err.text);
        exit(1);
    }
    return coordinator;
}

static void measure(void *zmq, const char *store, int n)
{
    struct coordinator *coordinator = start(zmq, "tcp://127.0.0.1:0", store);
    char endpoint[256];
    int ends[2];
    int64_t before = memory_bytes();
    pid_t child;

    (void)snprintf(endpoint, sizeof endpoint, "%s",
                   coordinator_endpoint(coordinator));
    if (pipe(ends) != 0 || (child = fork()) < 0)
        exit(1);
    if (child == 0) {
        (void)execl(
            "/proc/self/exe", "bench_crowd", "--crowd", endpoint,
            (char[16]){(char)('0' + n / 10000 % 10),
                       (char)('0' + n / 1000 % 10), (char)('0' + n / 100 % 10),
                       (char)('0' + n / 10 % 10), (char)('0' + n % 10), '\0'},
            (char[4]){(char)('0' + ends[1] / 10), (char)('0' + ends[1] % 10),
                      '\0'},
            (char *)NULL);
        _exit(1);
    }
    int64_t joined_ms = await(ends[0], n, true);
    printf("%d workers joined in %.1f s, %.1f KiB each\n", n,
           (double)joined_ms / 1000,
           (double)(memory_bytes() - before) / 1024 / n);
    double cpu = cpu_s();
    struct timespec watch = {.tv_sec = WATCH_S};
    (void)nanosleep(&watch, NULL);
    printf("heartbeats take %.1f %% of a core\n",
           100 * (cpu_s() - cpu) / WATCH_S);
    coordinator_stop(coordinator);
    coordinator = start(zmq, endpoint, store);
    int64_t back_ms = await(ends[0], n, false); // they notice
    back_ms += await(ends[0], n, true);
    printf("all back %.1f s after a restart\n", (double)back_ms / 1000);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    coordinator_stop(coordinator);
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 5000;
    char folder[] = "/tmp/bench-crowd-XXXXXX";
    char store[64];

    descriptors_raise();
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 5 && strcmp(argv[1], "--crowd") == 0)
        be_crowd(argv[2], atoi(argv[3]), atoi(argv[4]));
    if (n < 1 || n > MOST || mkdtemp(folder) == NULL)
        return 2;
    (void)snprintf(store, sizeof store, "%s/store.db", folder);
    void *zmq = zmq_ctx_new();
    measure(zmq, store, n);
    zmq_ctx_term(zmq);
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(store, sizeof store, "%s/store.db%s", folder, ends[i]);
        (void)unlink(store);
    }
    (void)rmdir(folder);
    return 0;
}
