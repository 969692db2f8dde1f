#include "wire/gate.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zmq.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/log.h"
#include "common/map.h"
#include "common/thread.h"
#include "wire/inproc.h"
#include "wire/zap.h"

enum {
    LOOK_MS = 1000,
    LOOK_SHARE = 20, // unknown keys cost at most a 20th of a core
    PATH_BYTES = 4096,
};

// The keys that the folder allowed at one moment.
struct ring {
    struct map by_public;
    struct key *keys; // owned
    size_t n, cap;
};

struct gate {
    void *context; // borrowed
    char *folder;
    void *zap;     // a REP socket, on which libzmq asks
    void *control; // tells the thread to end
    void *control_owner;
    pthread_t thread;

    pthread_mutex_t mutex; // protects ring
    struct ring ring;
    atomic_uint changes;

    // Used only by the gate's thread:
    struct hash seen; // hash of the names, sizes and times in the folder
    bool told_unreadable;
    int64_t looked_us; // when the last look ended
    int64_t look_us;   // how long it took
};

// --- the folder ---

static struct hash key_of(const char *public_key)
{
    return hash_of("key", public_key, strlen(public_key));
}

static void release_ring(struct ring *ring)
{
    map_release(&ring->by_public);
    free(ring->keys);
    *ring = (struct ring){0};
}

static bool index_ring(struct ring *ring, struct err *err)
{
    for (size_t i = 0; i < ring->n; i++) {
        struct hash hash = key_of(ring->keys[i].public_key);

        if (!map_put(&ring->by_public, &hash, &ring->keys[i])) {
            err_nomem(err, "the keys");
            return false;
        }
    }
    return true;
}

static bool add_key(struct ring *ring, const struct key *key)
{
    if (ring->n == ring->cap) {
        size_t cap = ring->cap == 0 ? 16 : 2 * ring->cap;
        struct key *grown = realloc(ring->keys, cap * sizeof *grown);

        if (grown == NULL)
            return false;
        ring->keys = grown;
        ring->cap = cap;
    }
    ring->keys[ring->n++] = *key;
    return true;
}

// Reads each .pub file. A file that is not a key is logged, and allows nobody.
// Returns false if not all files could be read.
static bool read_ring(const struct gate *gate, DIR *dir, struct ring *out,
                      struct err *err)
{
    struct dirent *entry;

    rewinddir(dir);
    while (out->n < GATE_KEYS_MOST && (entry = readdir(dir)) != NULL) {
        char path[PATH_BYTES];
        struct err why = ERR_CLEAR;
        struct key key;

        if (!key_is_file(entry->d_name, ".pub"))
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", gate->folder, entry->d_name);
        if (!key_read(path, &key, &why)) {
            if (why.code != ERR_INPUT) {
                *err = why;
                return false;
            }
            log_warn("key-unreadable", "%s", why.text);
        } else if (key.role == KEY_COORDINATOR) {
            log_warn("key-unreadable",
                     "%s is not the key of a worker or client", path);
        } else if (!add_key(out, &key)) {
            err_nomem(err, "the keys");
            return false;
        }
    }
    return index_ring(out, err);
}

// Returns a hash of what the folder looks like: if it differs, something has
// changed.
static struct hash look_at(DIR *dir)
{
    struct hasher hasher;
    struct dirent *entry;

    hasher_init(&hasher, "folder");
    rewinddir(dir);
    while ((entry = readdir(dir)) != NULL) {
        struct stat st;

        if (!key_is_file(entry->d_name, ".pub") ||
            fstatat(dirfd(dir), entry->d_name, &st, 0) != 0)
            continue;
        hasher_add_text(&hasher, entry->d_name);
        hasher_add_int(&hasher, (int64_t)st.st_ino);
        hasher_add_int(&hasher, (int64_t)st.st_size);
        hasher_add_int(&hasher, (int64_t)st.st_mtim.tv_sec);
        hasher_add_int(&hasher, (int64_t)st.st_mtim.tv_nsec);
    }
    return hasher_end(&hasher);
}

static void use_ring(struct gate *gate, const struct ring *ring)
{
    struct ring old;

    pthread_mutex_lock(&gate->mutex);
    old = gate->ring;
    gate->ring = *ring;
    pthread_mutex_unlock(&gate->mutex);
    release_ring(&old);
    atomic_fetch_add(&gate->changes, 1);
}

static void tell_unreadable(struct gate *gate, const char *why)
{
    if (!gate->told_unreadable)
        log_warn("keys-unreadable",
                 "%s cannot be read now, so no keys are added or removed: %s",
                 gate->folder, why);
    gate->told_unreadable = true;
}

static void look_at_folder(struct gate *gate)
{
    DIR *dir = opendir(gate->folder);
    struct ring ring = {0};
    struct err err = ERR_CLEAR;
    struct hash seen = {0};

    if (dir == NULL && errno != ENOENT && errno != ENOTDIR) {
        tell_unreadable(gate, strerror(errno));
        return;
    }
    if (dir != NULL)
        seen = look_at(dir);
    if (hash_equal(&seen, &gate->seen)) {
        gate->told_unreadable = false;
    } else if (dir == NULL || read_ring(gate, dir, &ring, &err)) {
        gate->told_unreadable = false;
        gate->seen = seen;
        log_info("keys-read", "%s allows %zu", gate->folder, ring.n);
        use_ring(gate, &ring);
    } else {
        tell_unreadable(gate, err.text);
        release_ring(&ring);
    }
    if (dir != NULL)
        (void)closedir(dir);
}

// Picks up what has changed in the folder.
static void look(struct gate *gate)
{
    int64_t began_us = clock_monotonic_us();

    look_at_folder(gate);
    gate->looked_us = clock_monotonic_us();
    gate->look_us = gate->looked_us - began_us;
}

static int64_t since_look_us(const struct gate *gate)
{
    return clock_monotonic_us() - gate->looked_us;
}

bool gate_find(struct gate *gate, const char *public_key, struct key *out)
{
    struct hash hash = key_of(public_key);
    const struct key *found;

    pthread_mutex_lock(&gate->mutex);
    found = map_find(&gate->ring.by_public, &hash);
    if (found != NULL)
        *out = *found;
    pthread_mutex_unlock(&gate->mutex);
    return found != NULL;
}

unsigned gate_changes(const struct gate *gate)
{
    return atomic_load(&gate->changes);
}

// --- answering libzmq ---

// Checks the folder before refusing an unknown key, which may have been made a
// moment ago: a client that was refused does not try again.
static bool is_allowed(struct gate *gate, const char *public_key)
{
    struct key key;

    if (gate_find(gate, public_key, &key))
        return true;
    if (since_look_us(gate) < LOOK_SHARE * gate->look_us)
        return false;
    look(gate);
    return gate_find(gate, public_key, &key);
}

static void answer(struct gate *gate)
{
    struct zap_request request;
    char public_key[KEY_BYTES] = "";

    if (!zap_receive(gate->zap, &request))
        return;
    if (zap_public_key(&request, public_key) && is_allowed(gate, public_key)) {
        zap_allow(gate->zap, &request, public_key);
        return;
    }
    log_warn("key-unknown", "%s connects with the key %s, which is not in %s",
             zap_address(&request), public_key, gate->folder);
    zap_refuse(gate->zap, &request, "this key is not allowed");
}

// --- the thread ---

static void *run(void *arg)
{
    struct gate *gate = arg;
    zmq_pollitem_t items[] = {
        {.socket = gate->zap, .events = ZMQ_POLLIN},
        {.socket = gate->control, .events = ZMQ_POLLIN},
    };

    while ((items[1].revents & ZMQ_POLLIN) == 0) {
        if (zmq_poll(items, 2, LOOK_MS) < 0 && zmq_errno() == ETERM)
            break;
        if (items[0].revents & ZMQ_POLLIN)
            answer(gate);
        if (since_look_us(gate) >= (int64_t)LOOK_MS * 1000)
            look(gate);
    }
    return NULL;
}

static void *open_socket(void *context, int type)
{
    void *socket = zmq_socket(context, type);

    if (socket != NULL)
        (void)zmq_setsockopt(socket, ZMQ_LINGER, &(int){0}, sizeof(int));
    return socket;
}

static bool open_sockets(struct gate *gate)
{
    char endpoint[INPROC_NAME_BYTES];

    inproc_name(endpoint, "gate");
    gate->zap = open_socket(gate->context, ZMQ_REP);
    gate->control = open_socket(gate->context, ZMQ_PAIR);
    gate->control_owner = open_socket(gate->context, ZMQ_PAIR);
    return gate->zap != NULL && gate->control != NULL &&
           gate->control_owner != NULL &&
           zmq_bind(gate->zap, ZAP_ENDPOINT) == 0 &&
           zmq_bind(gate->control, endpoint) == 0 &&
           zmq_connect(gate->control_owner, endpoint) == 0;
}

static void free_gate(struct gate *gate)
{
    if (gate->zap != NULL)
        zmq_close(gate->zap);
    if (gate->control != NULL)
        zmq_close(gate->control);
    if (gate->control_owner != NULL)
        zmq_close(gate->control_owner);
    release_ring(&gate->ring);
    pthread_mutex_destroy(&gate->mutex);
    free(gate->folder);
    free(gate);
}

// `path` is the folder of the public keys, inside the folder of all keys.
static bool is_folder(const char *path, struct err *err)
{
    char place[KEY_PLACE_BYTES] = "";
    char *keys;
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return true;
    keys = file_folder(path);
    if (keys != NULL)
        key_place(keys, place);
    free(keys);
    err_set(err, ERR_INPUT,
            "%s is not a folder of keys that may connect: `promptcc keys "
            "worker NAME%s` makes one",
            FILE_SHOWN(path, 60), place);
    return false;
}

struct gate *gate_start(void *context, const char *folder, struct err *err)
{
    struct gate *gate;

    if (!is_folder(folder, err))
        return NULL;
    gate = calloc(1, sizeof *gate);
    if (gate != NULL)
        gate->folder = strdup(folder);
    if (gate == NULL || gate->folder == NULL) {
        free(gate);
        err_nomem(err, "the keys");
        return NULL;
    }
    gate->context = context;
    (void)pthread_mutex_init(&gate->mutex, NULL);
    look(gate);
    if (!open_sockets(gate))
        err_set(err, ERR_IO, "cannot check keys: %s",
                zmq_strerror(zmq_errno()));
    else if (thread_start(&gate->thread, run, gate, "the keys", err))
        return gate;
    free_gate(gate);
    return NULL;
}

void gate_stop(struct gate *gate)
{
    if (gate == NULL)
        return;
    (void)zmq_send(gate->control_owner, "", 0, 0);
    (void)pthread_join(gate->thread, NULL);
    free_gate(gate);
}
