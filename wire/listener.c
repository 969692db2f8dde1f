#include "wire/listener.h"

#include <stdlib.h>
#include <string.h>

#include "common/descriptors.h"
#include "common/file.h"
#include "wire/gate.h"
#include "wire/key.h"
#include "wire/key_find.h"

enum {
    // Descriptors reserved for our own files, programs and sockets: a quarter
    // of all, within these limits.
    OWN_LEAST = 80, // about 40 when nothing runs, and the crowd
    OWN_MOST = 512,
    PEERS_LEAST = 8, // however few descriptors there are
};

struct listener {
    struct gate *gate;               // owned; NULL in the clear
    unsigned gate_changes;           // last seen by the owner
    struct wire_socket *socket;      // owned
    struct connections *connections; // owned
};

static enum key_role key_role_for(enum peer_role role)
{
    return role == PEER_WORKER ? KEY_WORKER : KEY_CLIENT;
}

bool listener_gives_role(const struct listener *listener, enum peer_role role,
                         struct err *err)
{
    enum key_role wanted = key_role_for(role);
    struct key key;

    if (listener->gate == NULL || wire_source(listener->socket) < 0)
        return true;
    if (!gate_find(listener->gate, wire_peer_key(listener->socket), &key)) {
        err_set(err, ERR_INPUT, "this key is no longer allowed");
        return false;
    }
    if (key.role == wanted)
        return true;
    err_set(err, ERR_INPUT,
            "%s is the key of a %s, but this is a %s: use a key made with "
            "`promptcc keys %s NAME`",
            key.name, key_role_name(key.role), key_role_name(wanted),
            key_role_name(wanted));
    return false;
}

bool listener_has_key(const struct listener *listener, const char *public_key)
{
    return listener->gate == NULL ||
           strcmp(public_key, wire_peer_key(listener->socket)) == 0;
}

bool listener_keys_changed(struct listener *listener)
{
    unsigned changes =
        listener->gate == NULL ? 0 : gate_changes(listener->gate);
    bool changed = changes != listener->gate_changes;

    listener->gate_changes = changes;
    return changed;
}

bool listener_allows(const struct listener *listener, const char *public_key,
                     enum peer_role role)
{
    struct key key;

    return listener->gate == NULL ||
           (gate_find(listener->gate, public_key, &key) &&
            key.role == key_role_for(role));
}

struct wire_socket *listener_socket(const struct listener *listener)
{
    return listener->socket;
}

struct connections *listener_connections(const struct listener *listener)
{
    return listener->connections;
}

// --- opening and closing ---

// Returns how many connections leave enough descriptors for everything else.
static size_t connections_most(void)
{
    size_t limit = descriptors_limit();
    size_t own = limit / 4;

    if (own < OWN_LEAST)
        own = OWN_LEAST;
    if (own > OWN_MOST)
        own = OWN_MOST;
    return limit > own + PEERS_LEAST ? limit - own : PEERS_LEAST;
}

// Reads the coordinator's own key, and starts the gate for the keys that the
// folder allows. Without a folder, `own` stays empty.
static bool open_gate(struct listener *listener, void *zmq, const char *keys,
                      struct key *own, struct err *err)
{
    char *allowed;

    if (keys == NULL)
        return true;
    allowed = file_join(keys, "allowed");
    if (allowed == NULL)
        err_nomem(err, "the keys");
    else if (key_find(keys, KEY_COORDINATOR, own, err))
        listener->gate = gate_start(zmq, allowed, err);
    free(allowed);
    return listener->gate != NULL;
}

struct listener *listener_open(void *zmq, const char *endpoint,
                               const char *keys, struct err *err)
{
    const struct connections_limits limits = {.most = connections_most(),
                                              .stranger_bytes =
                                                  CONNECTIONS_STRANGER_BYTES};
    struct listener *listener = calloc(1, sizeof *listener);
    struct key own = KEY_EMPTY;

    if (listener == NULL) {
        err_nomem(err, "the listener");
        return NULL;
    }
    if (open_gate(listener, zmq, keys, &own, err))
        listener->socket = wire_bind(zmq, endpoint, &own, err);
    key_wipe(&own);
    if (listener->socket != NULL)
        listener->connections =
            connections_new(zmq, listener->socket, &limits, err);
    if (listener->connections != NULL)
        return listener;
    listener_close(listener);
    return NULL;
}

void listener_close(struct listener *listener)
{
    if (listener == NULL)
        return;
    connections_free(listener->connections);
    wire_close(listener->socket);
    gate_stop(listener->gate);
    free(listener);
}
