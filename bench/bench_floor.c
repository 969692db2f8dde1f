// bench_floor: the least that calls could cost: ZeroMQ and SQLite alone.
//
//   bench_floor [CALLS]
//
// A ROUTER sends frames of 4.4 KB to two DEALER threads on inproc and gets 300
// bytes back; a writer thread appends, for each answer, rows of the sizes that
// our store has (a call, its reply, its evaluation with what was wrong; the
// question is stored once for all who ask it), 256 answers a commit, with WAL
// and FULL as we have them. No prompt is rendered, no key made, nothing
// decoded, parsed or scored: what bench_calls needs beyond this is ours.

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <zmq.h>

#include "rig.h"

enum {
    PEERS = 2,
    CREDIT = 512, // calls that are out, of all peers
    GROUP = 256,  // answers a commit
    FRAME_BYTES = 4400,
    ANSWER_BYTES = 300,
    REPLY_BYTES = 220,
    FEEDBACK_BYTES = 40,
};

struct floor {
    void *zmq;
    const char *path;
    size_t calls;
    atomic_size_t answered; // by the ROUTER's thread
    atomic_size_t written;  // by the writer's
};

// --- peers ---

static void *run_peer(void *user)
{
    const struct floor *floor = user;
    void *socket = zmq_socket(floor->zmq, ZMQ_DEALER);
    char frame[FRAME_BYTES];
    char answer[ANSWER_BYTES] = "";

    if (socket == NULL || zmq_connect(socket, "inproc://floor") != 0)
        abort();
    (void)zmq_send(socket, answer, 1, 0);
    while (zmq_recv(socket, frame, sizeof frame, 0) == FRAME_BYTES)
        (void)zmq_send(socket, answer, sizeof answer, 0);
    (void)zmq_close(socket);
    return NULL;
}

// --- the writer ---

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
            (void)zmq_poll(NULL, 0, 1);
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

static void take(void *router, struct peer *from)
{
    char frame[ANSWER_BYTES];

    from->len = (size_t)zmq_recv(router, from->id, sizeof from->id, 0);
    (void)zmq_recv(router, frame, sizeof frame, 0);
}

static void give(void *router, const struct peer *to, size_t len)
{
    static char frame[FRAME_BYTES];

    (void)zmq_send(router, to->id, to->len, ZMQ_SNDMORE);
    (void)zmq_send(router, frame, len, 0);
}

static void route(struct floor *floor, void *router)
{
    struct peer peers[PEERS];
    struct peer from;
    size_t sent = 0;

    for (int i = 0; i < PEERS; i++)
        take(router, &peers[i]);
    for (; sent < CREDIT && sent < floor->calls; sent++)
        give(router, &peers[sent % PEERS], FRAME_BYTES);
    for (size_t back = 1; back <= floor->calls; back++) {
        take(router, &from);
        atomic_store(&floor->answered, back);
        if (sent++ < floor->calls)
            give(router, &from, FRAME_BYTES);
    }
    for (int i = 0; i < PEERS; i++)
        give(router, &peers[i], 1);
}

int main(int argc, char **argv)
{
    struct rig_folder folder;
    struct floor floor = {.zmq = zmq_ctx_new(),
                          .path = folder.store,
                          .calls = argument(argc, argv, 1, LOAD_CALLS)};
    void *router = zmq_socket(floor.zmq, ZMQ_ROUTER);
    pthread_t writer;
    pthread_t peers[PEERS];

    rig_folder_make(&folder);
    if (router == NULL || zmq_bind(router, "inproc://floor") != 0 ||
        pthread_create(&writer, NULL, run_writer, &floor) != 0)
        abort();
    for (int i = 0; i < PEERS; i++)
        if (pthread_create(&peers[i], NULL, run_peer, &floor) != 0)
            abort();
    double begun = wall_s();
    route(&floor, router);
    (void)pthread_join(writer, NULL);
    double took = wall_s() - begun;
    for (int i = 0; i < PEERS; i++)
        (void)pthread_join(peers[i], NULL);
    double cpu = process_cpu_s() * 1e6 / (double)floor.calls;
    printf("floor_calls_per_s %.0f (%.1f us a call of wall time, %.1f of "
           "CPU)\n",
           (double)floor.calls / took, took * 1e6 / (double)floor.calls, cpu);
    (void)zmq_close(router);
    (void)zmq_ctx_term(floor.zmq);
    rig_folder_remove(&folder);
    return EXIT_SUCCESS;
}
