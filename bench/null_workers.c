#include "null_workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#include "common/clock.h"
#include "load.h"
#include "tally.h"
#include "wire/outbox.h"
#include "wire/prefixes.h"
#include "wire/socket.h"

enum { POLL_MS = 50, MOST_WORKERS = 64, REPLY_TOKENS = 60 };

static const char digest[] =
    "00000000000000000000000000000000000000000000000000000000000000ff";

struct null_worker {
    struct null_workers *all;
    size_t number;
    pthread_t thread;
    struct wire_socket *socket;
    struct outbox outbox;
    struct kept_prefixes prefixes;
    bool welcome;
    double cpu_s;
};

struct null_workers {
    void *zmq;
    const char *endpoint;
    const struct key *key;
    int slots;
    atomic_bool stopping;
    size_t n;
    struct null_worker each[MOST_WORKERS];
};

static void greet(struct null_worker *worker)
{
    struct wire_model model = {.name = LOAD_MODEL,
                               .digest = digest,
                               .context = 8192,
                               .quantization = "none"};
    char name[32];
    struct message hello = {.kind = MESSAGE_HELLO,
                            .as.hello = {.version = WIRE_VERSION,
                                         .role = PEER_WORKER,
                                         .name = name,
                                         .epoch = (int64_t)worker->number + 1,
                                         .slots = worker->all->slots,
                                         .software = "null",
                                         .backend = "null",
                                         .server = "1",
                                         .models = &model,
                                         .n_models = 1,
                                         .several = 1,
                                         .prefixes = WIRE_MAX_PREFIXES}};

    (void)snprintf(name, sizeof name, "null-%zu", worker->number);
    (void)wire_send(worker->socket, NULL, &hello, NULL);
}

static void answer(struct null_worker *worker, struct call_message *call)
{
    char text[LOAD_REPLY_BYTES];
    struct err err = ERR_CLEAR;
    struct message message = {.kind = MESSAGE_ANSWER};
    struct call_answer *out = &message.as.answer.answer;

    if (!kept_prefixes_fill(&worker->prefixes, call, &err))
        die(&err);
    message.as.answer.id = call->id;
    out->text = text;
    out->text_len =
        load_reply(call->request.tail, call->request.tail_len, text);
    out->prompt_tokens =
        (int)((call->request.prefix_len + call->request.tail_len) / 4);
    out->cached_tokens = (int)(call->request.prefix_len / 4);
    out->generated_tokens = REPLY_TOKENS;
    out->total_us = 1;
    if (!outbox_put(&worker->outbox, worker->socket, NULL, &message, &err))
        die(&err);
}

static void take_all(struct null_worker *worker)
{
    struct arena arena = ARENA_INIT(1 << 24);
    struct err err = ERR_CLEAR;
    struct message message;

    while (wire_receive(worker->socket, NULL, &arena, &message, &err) ==
           WIRE_MESSAGE) {
        worker->welcome = worker->welcome || message.kind == MESSAGE_WELCOME;
        if (message.kind == MESSAGE_CALL)
            answer(worker, &message.as.call);
        arena_release(&arena);
    }
    if (!outbox_flush(&worker->outbox, worker->socket, NULL, &err))
        die(&err);
    arena_release(&arena);
}

static void beat(struct null_worker *worker)
{
    struct message message = {.kind = MESSAGE_HEARTBEAT};

    if (worker->welcome)
        (void)wire_send(worker->socket, NULL, &message, NULL);
    else
        greet(worker);
}

static void *run(void *user)
{
    struct null_worker *worker = user;
    struct wire_id id = {.len = 2,
                         .bytes = {'n', (uint8_t)(worker->number + 1)}};
    struct err err = ERR_CLEAR;

    worker->socket = wire_connect(worker->all->zmq, worker->all->endpoint,
                                  worker->all->key, &id, &err);
    if (worker->socket == NULL)
        die(&err);
    worker->outbox = OUTBOX_INIT;
    worker->prefixes = KEPT_PREFIXES_INIT;
    greet(worker);
    while (!atomic_load(&worker->all->stopping)) {
        zmq_pollitem_t item = {.socket = wire_handle(worker->socket),
                               .events = ZMQ_POLLIN};

        if (zmq_poll(&item, 1, POLL_MS) > 0)
            take_all(worker);
        else
            beat(worker);
    }
    wire_close(worker->socket);
    kept_prefixes_release(&worker->prefixes);
    worker->cpu_s = thread_cpu_s();
    return NULL;
}

static struct null_workers *start(void *zmq, const char *endpoint,
                                  const struct key *key, size_t first, size_t n,
                                  int slots)
{
    struct null_workers *workers = calloc(1, sizeof *workers);

    if (workers == NULL || n > MOST_WORKERS)
        abort();
    workers->zmq = zmq;
    workers->endpoint = endpoint;
    workers->key = key;
    workers->slots = slots;
    workers->n = n;
    for (size_t i = 0; i < n; i++) {
        struct null_worker *worker = &workers->each[i];

        worker->all = workers;
        worker->number = first + i;
        if (pthread_create(&worker->thread, NULL, run, worker) != 0)
            abort();
    }
    return workers;
}

struct null_workers *null_workers_start(void *zmq, const char *endpoint,
                                        const struct key *key, size_t n,
                                        int slots)
{
    return start(zmq, endpoint, key, 0, n, slots);
}

double null_workers_stop(struct null_workers *workers)
{
    double cpu_s = 0;

    atomic_store(&workers->stopping, true);
    for (size_t i = 0; i < workers->n; i++) {
        (void)pthread_join(workers->each[i].thread, NULL);
        cpu_s += workers->each[i].cpu_s;
    }
    free(workers);
    return cpu_s;
}

// --- processes ---

// What a process is told to do.
struct order {
    char endpoint[256];
    struct key key; // no role means in the clear
    int slots;
};

struct null_processes {
    size_t n;
    pid_t pids[MOST_WORKERS];
    int orders[MOST_WORKERS]; // pipes; a process ends when its pipe closes
};

// Runs until the pipe is closed.
static void be_worker(size_t number, int in)
{
    struct order order;
    char byte;

    if (read(in, &order, sizeof order) != (ssize_t)sizeof order)
        return;
    void *zmq = zmq_ctx_new();
    struct null_workers *workers = start(
        zmq, order.endpoint, order.key.role == KEY_NONE ? NULL : &order.key,
        number, 1, order.slots);
    (void)!read(in, &byte, 1);
    (void)null_workers_stop(workers);
    (void)zmq_ctx_term(zmq);
}

struct null_processes *null_processes_fork(size_t n)
{
    struct null_processes *processes = calloc(1, sizeof *processes);

    if (processes == NULL || n > MOST_WORKERS)
        abort();
    (void)fflush(stdout);
    for (; processes->n < n; processes->n++) {
        int ends[2];

        if (pipe(ends) != 0)
            abort();
        processes->orders[processes->n] = ends[1];
        processes->pids[processes->n] = fork();
        if (processes->pids[processes->n] == 0) {
            for (size_t i = 0; i <= processes->n; i++)
                (void)close(processes->orders[i]);
            be_worker(processes->n, ends[0]);
            _exit(EXIT_SUCCESS);
        }
        (void)close(ends[0]);
    }
    return processes;
}

void null_processes_start(struct null_processes *processes,
                          const char *endpoint, const struct key *key,
                          int slots)
{
    struct order order = {.slots = slots,
                          .key = key == NULL ? KEY_EMPTY : *key};

    (void)snprintf(order.endpoint, sizeof order.endpoint, "%s", endpoint);
    for (size_t i = 0; i < processes->n; i++)
        if (write(processes->orders[i], &order, sizeof order) !=
            (ssize_t)sizeof order)
            abort();
}

double null_processes_stop(struct null_processes *processes)
{
    struct rusage used = {0};

    for (size_t i = 0; i < processes->n; i++) {
        (void)close(processes->orders[i]);
        (void)waitpid(processes->pids[i], NULL, 0);
    }
    free(processes);
    (void)getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}
