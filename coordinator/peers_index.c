#include "coordinator/peers_state.h"

// Computed for every incoming frame, from about 20 bytes: SipHash takes a tenth
// of the time of hash_of, and its 128 bits do not collide by chance.
static struct hash id_key(const struct wire_id *id)
{
    static const unsigned char key[crypto_shorthash_siphashx24_KEYBYTES] =
        "promptcc's peer";
    struct hash hash;

    (void)crypto_shorthash_siphashx24(hash.bytes, id->bytes, id->len, key);
    return hash;
}

// --- indexing ---

void peers_unindex(struct peers *peers, const struct peer *peer)
{
    struct hash key = id_key(&peer->id);

    map_remove(&peers->by_id, &key);
    key = map_number(peer->number);
    map_remove(&peers->by_number, &key);
    if (peer->worker != NULL) {
        key = map_number(peer->worker->number);
        map_remove(&peers->by_worker, &key);
    }
    if (peer->instance != 0) {
        key = map_number(peer->instance);
        map_remove(&peers->by_instance, &key);
    }
}

bool peers_index(struct peers *peers, struct peer *peer)
{
    struct hash id = id_key(&peer->id);
    struct hash number = map_number(peer->number);
    struct hash worker =
        map_number(peer->worker == NULL ? 0 : peer->worker->number);
    bool ok =
        map_put(&peers->by_id, &id, peer) &&
        map_put(&peers->by_number, &number, peer) &&
        (peer->worker == NULL || map_put(&peers->by_worker, &worker, peer));

    if (!ok)
        peers_unindex(peers, peer);
    return ok;
}

void peers_index_instance(struct peers *peers, struct peer *peer,
                          const struct hello *hello)
{
    struct hash key = map_number(hello->instance);

    if (peer->worker == NULL || hello->instance == 0 ||
        map_find(&peers->by_instance, &key) != NULL ||
        !map_put(&peers->by_instance, &key, peer))
        return;
    peer->instance = hello->instance;
    peer->greeting = hello->greeting;
}

void peers_release_index(struct peers *peers)
{
    map_release(&peers->by_id);
    map_release(&peers->by_number);
    map_release(&peers->by_worker);
    map_release(&peers->by_instance);
}

// --- finding ---

struct peer *peers_find(const struct peers *peers, const struct wire_id *id)
{
    struct hash key = id_key(id);

    return map_find(&peers->by_id, &key);
}

struct peer *peers_find_numbered(const struct peers *peers, int64_t number)
{
    struct hash key = map_number(number);

    return map_find(&peers->by_number, &key);
}

struct peer *peers_find_worker(const struct peers *peers, int32_t number)
{
    struct hash key = map_number(number);

    return map_find(&peers->by_worker, &key);
}

struct peer *peers_find_instance(const struct peers *peers, int64_t instance)
{
    struct hash key = map_number(instance);

    return instance == 0 ? NULL : map_find(&peers->by_instance, &key);
}

struct peer_address peer_address(const struct peer *peer)
{
    return (struct peer_address){.id = peer->id, .epoch = peer->epoch};
}

struct peer *peers_at(const struct peers *peers,
                      const struct peer_address *address)
{
    struct peer *peer = peers_find(peers, &address->id);

    return peer != NULL && peer->epoch == address->epoch ? peer : NULL;
}
