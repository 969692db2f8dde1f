// bench_crowd: what thousands of idle workers cost a coordinator.
//
//   bench_crowd [WORKERS]      default 5000
//
// The workers are connections of a child process that greet, send heartbeats as
// WELCOME tells them, and greet again when asked to. Prints the coordinator's
// memory per worker, its processor time while only heartbeats arrive, and how
// long after a restart all workers are back.

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

#include "common/clock.h"
#include "common/descriptors.h"
#include "common/hash.h"
#include "common/large_arrays.h"
#include "common/map.h"
#include "coordinator/coordinator_state.h"
#include "coordinator/engine.h"
#include "wire/socket.h"

enum {
    MOST = 20000,
    SETTLE_S = 10,
    WATCH_S = 2 * WIRE_IDLE_MAX_MS / 1000, // each worker beats twice
    RESTARTS = 3,
    RETRY_MS = 100, // as in worker/uplink.c
    RETRY_MAX_MS = 1000,
    PATIENCE_MS = 3000,
    PATIENCE_MAX_MS = 8000,
    TURN_MS = 50,
    LOOK_MS = 5,
    FLOOR_TURN_MS = 100,
    GIVE_UP_MS = 60000,
};

// --- the child: workers ---

struct crowd_worker {
    struct wire_socket *socket; // NULL while it waits
    int64_t beat_ms, due_ms, every_ms, retry_ms, patience_ms, greetings;
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
    workers[i].socket = wire_connect(zmq, endpoint, NULL, &id, &err);
    workers[i].welcome = workers[i].greeted = false;
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
                                         .server = "1",
                                         .instance = i + 1,
                                         .greeting = ++workers[i].greetings}};

    (void)snprintf(name, sizeof name, "crowd-%d", i);
    return wire_send(workers[i].socket, NULL, &hello, NULL);
}

static void part(struct crowd_worker *worker, int64_t now)
{
    wire_close(worker->socket);
    worker->socket = NULL;
    worker->welcome = false;
    worker->due_ms = now + worker->retry_ms + rand() % worker->retry_ms;
    worker->retry_ms = 2 * worker->retry_ms < RETRY_MAX_MS
                           ? 2 * worker->retry_ms
                           : RETRY_MAX_MS;
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
            worker->retry_ms = RETRY_MS;
            worker->patience_ms = PATIENCE_MS;
            worker->every_ms = message.as.welcome.idle_ms;
            worker->beat_ms = now + message.as.welcome.heartbeat_ms;
        } else if (message.kind == MESSAGE_HEARTBEAT) {
            worker->every_ms = message.as.heartbeat.idle_ms;
        } else if (message.kind == MESSAGE_REFUSED) {
            part(worker, now);
        }
        arena_release(&arena);
    }
}

// A heartbeat announces the next silence, whose length the coordinator must
// have told us before.
static bool beat(struct crowd_worker *worker, int64_t now)
{
    struct message message = {.kind = MESSAGE_HEARTBEAT,
                              .as.heartbeat = {.idle_ms = worker->every_ms}};

    worker->beat_ms =
        now + worker->every_ms - rand() % (worker->every_ms / 4 + 1);
    return wire_send(worker->socket, NULL, &message, NULL);
}

static void turn(void *zmq, const char *endpoint, int i, int64_t now)
{
    struct crowd_worker *worker = &workers[i];

    take_all(worker, now);
    if (worker->socket == NULL && now >= worker->due_ms)
        connect_worker(zmq, endpoint, i);
    if (worker->socket == NULL)
        return;
    if (worker->greeted && !wire_writable(worker->socket)) {
        worker->greeted = false;
        if (worker->beat_ms > now + WIRE_HEARTBEAT_MS)
            worker->beat_ms = now + rand() % WIRE_HEARTBEAT_MS;
    }
    if (!worker->greeted && !worker->welcome) {
        worker->greeted = greet(i);
        worker->due_ms = now + worker->patience_ms;
    } else if (!worker->welcome && now > worker->due_ms) {
        worker->patience_ms = 2 * worker->patience_ms < PATIENCE_MAX_MS
                                  ? 2 * worker->patience_ms
                                  : PATIENCE_MAX_MS;
        part(worker, now);
    } else if (worker->welcome && now >= worker->beat_ms) {
        if (!beat(worker, now))
            part(worker, now);
    }
}

static void be_crowd(const char *endpoint, int n)
{
    void *zmq = zmq_ctx_new();

    zmq_ctx_set(zmq, ZMQ_MAX_SOCKETS, MOST);
    for (int i = 0; i < n; i++)
        workers[i].retry_ms = RETRY_MS, workers[i].patience_ms = PATIENCE_MS;
    for (;;) {
        struct timespec pause = {.tv_nsec = TURN_MS * 1000000L};

        for (int i = 0; i < n; i++)
            turn(zmq, endpoint, i, clock_monotonic_ms());
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

static struct coordinator *start(void *zmq, const char *listen,
                                 const char *store)
{
    struct coordinator_options options = COORDINATOR_DEFAULTS;
    struct err err = ERR_CLEAR;
    struct coordinator *coordinator = NULL;

    options.listen = listen;
    options.store = store;
    // The old coordinator's port and names may be in use for a moment.
    for (int tries = 0; tries < 100; tries++) {
        struct timespec pause = {.tv_nsec = 50000000};

        err.code = ERR_NONE;
        coordinator = coordinator_start(zmq, &options, &err);
        if (coordinator != NULL)
            break;
        (void)nanosleep(&pause, NULL);
    }
    if (coordinator == NULL) {
        (void)fprintf(stderr, "bench_crowd: %s\n", err.text);
        exit(1);
    }
    return coordinator;
}

static void rest(int64_t ms)
{
    struct timespec pause = {.tv_sec = ms / 1000,
                             .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&pause, NULL);
}

// Returns the milliseconds until n workers have joined. The loop's thread
// counts them; reading its number from this thread may be late, but is not
// wrong.
static int64_t await(struct coordinator *coordinator, int n)
{
    volatile const size_t *here = &coordinator->engine.workers.n;
    int64_t began = clock_monotonic_ms();

    while (*here < (size_t)n) {
        if (clock_monotonic_ms() - began > GIVE_UP_MS) {
            (void)printf("only %zu after %d s\n", *here, GIVE_UP_MS / 1000);
            exit(1);
        }
        rest(LOOK_MS);
    }
    return clock_monotonic_ms() - began;
}

// --- the floor: a bare ROUTER that welcomes every greeting ---

static void floor_answer(struct wire_socket *router, const struct wire_id *id,
                         const struct message *got, struct map *here)
{
    // A worker's identity is its name and the time of its greeting.
    size_t len = strcspn((const char *)id->bytes, "-");
    struct hash key = hash_of("floor", id->bytes, len);
    struct message welcome = {.kind = MESSAGE_WELCOME,
                              .as.welcome = {.heartbeat_ms = WIRE_HEARTBEAT_MS,
                                             .idle_ms = WIRE_IDLE_MAX_MS,
                                             .name = "w"}};
    struct message refused = {
        .kind = MESSAGE_REFUSED,
        .as.refused = {.code = "hello", .text = "greet first"}};

    if (got->kind == MESSAGE_HELLO) {
        (void)map_put(here, &key, router);
        (void)wire_send(router, id, &welcome, NULL);
    } else if (map_find(here, &key) == NULL) {
        (void)wire_send(router, id, &refused, NULL);
    }
}

// Returns the milliseconds until a ROUTER that just began to listen has
// welcomed n.
static int64_t measure_floor(void *zmq, const char *endpoint, int n)
{
    struct err err = ERR_CLEAR;
    struct wire_socket *router = NULL;
    struct map here = {0};
    int64_t began = clock_monotonic_ms();

    while ((router = wire_bind(zmq, endpoint, NULL, &err)) == NULL)
        rest(LOOK_MS);
    while (here.n < (size_t)n) {
        struct arena arena = ARENA_INIT(1 << 20);
        struct message message;
        struct wire_id id;
        zmq_pollitem_t item = {.socket = wire_handle(router),
                               .events = ZMQ_POLLIN};

        zmq_poll(&item, 1, FLOOR_TURN_MS);
        while (wire_receive(router, &id, &arena, &message, &err) ==
               WIRE_MESSAGE) {
            floor_answer(router, &id, &message, &here);
            arena_release(&arena);
        }
    }
    map_release(&here);
    wire_close(router);
    return clock_monotonic_ms() - began;
}

// --- measuring ---

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double median_s(int64_t times[RESTARTS])
{
    qsort(times, RESTARTS, sizeof times[0], compare);
    return (double)times[RESTARTS / 2] / 1000;
}

static pid_t begin_crowd(const char *endpoint, int n)
{
    char count[16];
    pid_t child;

    (void)snprintf(count, sizeof count, "%d", n);
    child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execl("/proc/self/exe", "bench_crowd", "--crowd", endpoint, count,
                    (char *)NULL);
        _exit(1);
    }
    return child;
}

static void measure_idle(int n)
{
    double cpu;

    rest(SETTLE_S * 1000); // each has sent its first heartbeat
    cpu = cpu_s();
    rest(WATCH_S * 1000);
    printf("heartbeats of %d take %.1f %% of a core\n", n,
           100 * (cpu_s() - cpu) / WATCH_S);
}

static void measure(void *zmq, const char *store, int n)
{
    struct coordinator *coordinator = start(zmq, "tcp://127.0.0.1:0", store);
    char endpoint[256];
    int64_t before = memory_bytes();
    int64_t back[RESTARTS];
    int64_t floor[RESTARTS];
    double cpu;
    pid_t child;

    (void)snprintf(endpoint, sizeof endpoint, "%s",
                   coordinator_endpoint(coordinator));
    child = begin_crowd(endpoint, n);
    int64_t joined_ms = await(coordinator, n);
    printf("%d workers joined in %.1f s, %.1f KiB each\n", n,
           (double)joined_ms / 1000,
           (double)(memory_bytes() - before) / 1024 / n);
    measure_idle(n);
    for (int i = 0; i < RESTARTS; i++) {
        coordinator_stop(coordinator);
        cpu = cpu_s();
        floor[i] = measure_floor(zmq, endpoint, n);
        printf("all at a bare ROUTER after %.1f s, %.2f of the processor\n",
               (double)floor[i] / 1000, cpu_s() - cpu);
        coordinator = start(zmq, endpoint, store);
        cpu = cpu_s();
        back[i] = await(coordinator, n);
        printf("all back %.1f s after a restart, %.2f of the processor\n",
               (double)back[i] / 1000, cpu_s() - cpu);
    }
    printf("median %.1f s, %.2f of the bare ROUTER's %.1f s\n", median_s(back),
           median_s(back) / median_s(floor), median_s(floor));
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
    large_arrays_map(); // as the program does
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 4 && strcmp(argv[1], "--crowd") == 0)
        be_crowd(argv[2], atoi(argv[3]));
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
