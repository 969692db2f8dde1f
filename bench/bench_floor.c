// bench_floor: the least that calls could cost: ZeroMQ and SQLite alone.
//
//   bench_floor [CALLS] [inproc|tcp|curve] [FRAME_BYTES] [durable]
//
// A ROUTER sends frames of 4.4 KB, or FRAME_BYTES, to DEALERs and gets 300
// bytes back: from two threads over inproc, or from eight processes over TCP,
// in the clear or with keys, like bench_calls. For each answer a writer thread
// appends rows of the same sizes as in our store (a call, its reply, its
// evaluation with feedback; the question is stored once for all calls that ask
// it), 256 answers per commit, with WAL and FULL like ours. No prompt is
// rendered, no key made, nothing decoded, parsed or scored: whatever
// bench_calls needs beyond this is promptcc's own cost.
//
// By default the ROUTER asks for the next call as soon as an answer arrives.
// With `durable` it waits until the answer is committed, as promptcc must: an
// answer that may still be lost is not used, and its worker's slot stays taken
// until then. Nothing else differs.

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>
#include <zmq.h>

#include "rig.h"

enum {
    PEERS = 2,      // threads, or
    PROCESSES = 8,  // processes over TCP
    MOST_PEERS = 8, // of either kind
    CREDIT = 512,   // calls in flight, over all peers
    GROUP = 256,    // answers per commit
    FRAME_BYTES = 4400,
    MOST_FRAME_BYTES = 64 << 10,
    ANSWER_BYTES = 300,
    REPLY_BYTES = 220,
    FEEDBACK_BYTES = 40,
};

enum { KEY_TEXT = 41 }; // a CURVE key, in Z85

struct floor {
    void *zmq;
    const char *path;
    size_t calls;
    size_t frame_bytes;
    size_t n_peers;
    bool keyed;
    bool durable; // send the next call once the answer is committed
    char endpoint[128];
    char public_key[KEY_TEXT], secret_key[KEY_TEXT]; // the ROUTER's
    pthread_t threads[MOST_PEERS];
    pid_t processes[MOST_PEERS];
    int orders[MOST_PEERS]; // pipes to the processes
    atomic_size_t answered; // set by the ROUTER's thread
    atomic_size_t written;  // set by the writer's thread
    // For a durable floor: pipes that carry a byte when there is more.
    int to_writer[2], to_router[2];
};

// --- peers ---

// Answers until a frame of another size comes.
static void answer_all(const struct floor *floor, void *zmq)
{
    void *socket = zmq_socket(zmq, ZMQ_DEALER);
    char *frame = malloc(MOST_FRAME_BYTES);
    char answer[ANSWER_BYTES] = "";
    char public_key[KEY_TEXT], secret_key[KEY_TEXT];

    if (socket == NULL || frame == NULL)
        abort();
    if (floor->keyed &&
        (zmq_curve_keypair(public_key, secret_key) != 0 ||
         zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public_key, KEY_TEXT) ||
         zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret_key, KEY_TEXT) ||
         zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, floor->public_key,
                        KEY_TEXT)))
        abort();
    if (zmq_connect(socket, floor->endpoint) != 0)
        abort();
    (void)zmq_send(socket, answer, 1, 0);
    while (zmq_recv(socket, frame, MOST_FRAME_BYTES, 0) ==
           (int)floor->frame_bytes)
        (void)zmq_send(socket, answer, sizeof answer, 0);
    (void)zmq_close(socket);
    free(frame);
}

static void *run_peer(void *user)
{
    const struct floor *floor = user;

    answer_all(floor, floor->zmq);
    return NULL;
}

// Processes are forked before there are threads. Each waits for its order: a
// copy of the whole floor, with the endpoint and the key.
static void fork_peer(struct floor *floor, size_t i)
{
    int ends[2];

    if (pipe(ends) != 0)
        abort();
    floor->orders[i] = ends[1];
    floor->processes[i] = fork();
    if (floor->processes[i] != 0) {
        (void)close(ends[0]);
        return;
    }
    if (read(ends[0], floor, sizeof *floor) != (ssize_t)sizeof *floor)
        _exit(EXIT_FAILURE);
    void *zmq = zmq_ctx_new();
    answer_all(floor, zmq);
    (void)zmq_ctx_term(zmq);
    _exit(EXIT_SUCCESS);
}

static void start_peers(struct floor *floor)
{
    for (size_t i = 0; i < floor->n_peers; i++) {
        if (floor->orders[i] == 0) {
            if (pthread_create(&floor->threads[i], NULL, run_peer, floor) != 0)
                abort();
        } else if (write(floor->orders[i], floor, sizeof *floor) !=
                   (ssize_t)sizeof *floor) {
            abort();
        }
    }
}

// Returns the CPU time that child processes took.
static double await_peers(struct floor *floor)
{
    struct rusage used = {0};

    for (size_t i = 0; i < floor->n_peers; i++)
        if (floor->orders[i] == 0)
            (void)pthread_join(floor->threads[i], NULL);
        else
            (void)waitpid(floor->processes[i], NULL, 0);
    (void)getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

// --- the writer ---

static void open_pipe(int ends[2])
{
    if (pipe(ends) != 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0)
        abort();
}

// A full pipe wakes the reader as well.
static void wake(const int ends[2])
{
    (void)!write(ends[1], "", 1);
}

static void sleep_until_woken(const int ends[2])
{
    char bytes[64];

    (void)!read(ends[0], bytes, sizeof bytes);
}

static void await_answers(const struct floor *floor)
{
    if (floor->durable)
        sleep_until_woken(floor->to_writer);
    else
        (void)zmq_poll(NULL, 0, 1);
}

static void run_sql(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return;
    (void)fprintf(stderr, "bench: %s\n", sqlite3_errmsg(db));
    exit(EXIT_FAILURE);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        abort();
    return stmt;
}

static void insert(sqlite3_stmt *stmt, int n_numbers, int n_texts,
                   const int *texts, const char *bytes)
{
    for (int i = 1; i <= n_numbers; i++)
        (void)sqlite3_bind_int64(stmt, i, 1000 + i);
    for (int i = 0; i < n_texts; i++)
        (void)sqlite3_bind_text(stmt, n_numbers + i + 1, bytes, texts[i],
                                SQLITE_STATIC);
    if (sqlite3_step(stmt) != SQLITE_DONE)
        abort();
    (void)sqlite3_reset(stmt);
}

static void *run_writer(void *user)
{
    struct floor *floor = user;
    char bytes[REPLY_BYTES];
    sqlite3 *db = NULL;

    memset(bytes, 'x', sizeof bytes);
    if (sqlite3_open(floor->path, &db) != SQLITE_OK)
        abort();
    run_sql(db, "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL;"
                "PRAGMA synchronous = FULL;"
                "CREATE TABLE calls(id INTEGER PRIMARY KEY, a, b, c, d, e, f, "
                "g, h, i, j, k, l, m, key, worker);"
                "CREATE TABLE texts(id INTEGER PRIMARY KEY, question, reply);"
                "CREATE TABLE evaluations(id INTEGER PRIMARY KEY, a, b, c, d, "
                "e, f, g, calls, feedback)");
    sqlite3_stmt *call = prepare(db, "INSERT INTO calls VALUES(NULL, ?, ?, ?, "
                                     "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    sqlite3_stmt *text = prepare(db, "INSERT INTO texts VALUES(NULL, ?, ?)");
    sqlite3_stmt *evaluation =
        prepare(db, "INSERT INTO evaluations VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, "
                    "?, ?)");
    for (size_t i = 0; i < floor->calls;) {
        size_t until = atomic_load(&floor->answered);

        if (until == i) {
            await_answers(floor);
            continue;
        }
        run_sql(db, "BEGIN");
        for (int k = 0; k < GROUP && i < until; k++, i++) {
            insert(call, 13, 2, (const int[]){16, 6}, bytes);
            insert(text, 1, 1, (const int[]){REPLY_BYTES}, bytes);
            insert(evaluation, 7, 2, (const int[]){8, FEEDBACK_BYTES}, bytes);
        }
        run_sql(db, "COMMIT");
        atomic_store(&floor->written, i);
        wake(floor->to_router);
    }
    (void)sqlite3_finalize(call);
    (void)sqlite3_finalize(text);
    (void)sqlite3_finalize(evaluation);
    (void)sqlite3_close(db);
    return NULL;
}

// --- the ROUTER ---

struct peer {
    char id[64];
    size_t len;
};

// Returns false if there is nothing to take now.
static bool take(void *router, int flags, struct peer *from)
{
    char frame[ANSWER_BYTES];
    int len = zmq_recv(router, from->id, sizeof from->id, flags);

    if (len < 0)
        return false;
    from->len = (size_t)len;
    (void)zmq_recv(router, frame, sizeof frame, 0);
    return true;
}

static void give(void *router, const struct peer *to, size_t len)
{
    static char frame[MOST_FRAME_BYTES];

    (void)zmq_send(router, to->id, to->len, ZMQ_SNDMORE);
    (void)zmq_send(router, frame, len, 0);
}

// Waits until all peers have connected.
static void greet(struct floor *floor, void *router, struct peer *peers)
{
    for (size_t i = 0; i < floor->n_peers; i++)
        (void)take(router, 0, &peers[i]);
}

static void route_at_once(struct floor *floor, void *router, size_t sent)
{
    struct peer from;

    for (size_t back = 1; back <= floor->calls; back++) {
        (void)take(router, 0, &from);
        atomic_store(&floor->answered, back);
        if (sent++ < floor->calls)
            give(router, &from, floor->frame_bytes);
    }
}

// Hands every arrived answer to the writer, and sends the next call to each
// peer whose answer is committed.
static void route_durably(struct floor *floor, void *router, size_t sent)
{
    static struct peer owners[CREDIT]; // of answers that are not committed
    zmq_pollitem_t items[] = {
        {.socket = router, .events = ZMQ_POLLIN},
        {.fd = floor->to_router[0], .events = ZMQ_POLLIN}};
    size_t back = 0, committed = 0;

    while (back < floor->calls) {
        (void)zmq_poll(items, 2, -1);
        if (items[1].revents != 0)
            sleep_until_woken(floor->to_router);
        while (take(router, ZMQ_DONTWAIT, &owners[back % CREDIT]))
            atomic_store(&floor->answered, ++back);
        wake(floor->to_writer);
        for (; committed < atomic_load(&floor->written); committed++)
            if (sent++ < floor->calls)
                give(router, &owners[committed % CREDIT], floor->frame_bytes);
    }
}

static void route(struct floor *floor, void *router, const struct peer *peers)
{
    size_t sent = 0;

    for (; sent < CREDIT && sent < floor->calls; sent++)
        give(router, &peers[sent % floor->n_peers], floor->frame_bytes);
    (floor->durable ? route_durably : route_at_once)(floor, router, sent);
    for (size_t i = 0; i < floor->n_peers; i++)
        give(router, &peers[i], 1);
}

static void *bind_router(struct floor *floor)
{
    void *router = zmq_socket(floor->zmq, ZMQ_ROUTER);
    size_t len = sizeof floor->endpoint;
    int server = 1;

    if (router == NULL ||
        (floor->keyed &&
         (zmq_curve_keypair(floor->public_key, floor->secret_key) != 0 ||
          zmq_setsockopt(router, ZMQ_CURVE_SERVER, &server, sizeof server) ||
          zmq_setsockopt(router, ZMQ_CURVE_SECRETKEY, floor->secret_key,
                         KEY_TEXT))) ||
        zmq_bind(router, floor->endpoint) != 0 ||
        zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, floor->endpoint, &len) != 0)
        abort();
    return router;
}

static void measure(struct floor *floor)
{
    struct peer peers[MOST_PEERS];
    void *router = bind_router(floor);
    pthread_t writer;

    start_peers(floor);
    greet(floor, router, peers);
    double begun = wall_s();
    double before = process_cpu_s();
    if (pthread_create(&writer, NULL, run_writer, floor) != 0)
        abort();
    route(floor, router, peers);
    (void)pthread_join(writer, NULL);
    double took = wall_s() - begun;
    double cpu = process_cpu_s() - before + await_peers(floor);

    printf("%s %.0f (%.1f us a call of wall time, %.1f of CPU; "
           "frames of %zu bytes)\n",
           floor->durable ? "durable_floor_calls_per_s" : "floor_calls_per_s",
           (double)floor->calls / took, took * 1e6 / (double)floor->calls,
           cpu * 1e6 / (double)floor->calls, floor->frame_bytes);
    (void)zmq_close(router);
    (void)zmq_ctx_term(floor->zmq);
}

int main(int argc, char **argv)
{
    struct rig_folder folder;
    const char *way = argc > 2 ? argv[2] : "inproc";
    bool apart = strcmp(way, "inproc") != 0;
    struct floor floor = {.path = folder.store,
                          .calls = argument(argc, argv, 1, LOAD_CALLS),
                          .frame_bytes = argument(argc, argv, 3, FRAME_BYTES),
                          .n_peers = apart ? PROCESSES : PEERS,
                          .keyed = strcmp(way, "curve") == 0,
                          .durable =
                              argc > 4 && strcmp(argv[4], "durable") == 0};

    if (floor.frame_bytes > MOST_FRAME_BYTES)
        floor.frame_bytes = MOST_FRAME_BYTES;
    (void)snprintf(floor.endpoint, sizeof floor.endpoint, "%s",
                   apart ? "tcp://127.0.0.1:*" : "inproc://floor");
    for (size_t i = 0; apart && i < floor.n_peers; i++)
        fork_peer(&floor, i);
    open_pipe(floor.to_writer);
    open_pipe(floor.to_router);
    floor.zmq = zmq_ctx_new();
    rig_folder_make(&folder);
    measure(&floor);
    rig_folder_remove(&folder);
    return EXIT_SUCCESS;
}
