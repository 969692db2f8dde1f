// peers_send: what peers are sent, and what clients leave unread.

#include "common/log.h"
#include "coordinator/peers_state.h"

enum {
    // Bytes sent to one client, or to all, that have not been read. A client
    // may leave at least the longest RESULT and a REPLY unread.
    UNREAD_MOST = WIRE_MAX_BYTES + WIRE_MAX_TEXT,
    UNREAD_OF_ALL = 256 << 20,
    UNREAD_SHORT = 64 << 10, // after shorter messages the total is not
                             // recomputed
};

// If all clients together leave too much unread, marks the one that leaves the
// most as clogged.
static void check_total_unread(struct peers *peers)
{
    struct peer *worst = NULL;
    size_t all = 0, most = 0;

    for (struct peer *peer = peers->first[PEER_CLIENT]; peer != NULL;
         peer = peer->next) {
        size_t unread = peer->clogged
                            ? 0
                            : connections_unread_bytes(peers->connections,
                                                       peer->fd, peer->number);

        all += unread;
        if (unread > most) {
            most = unread;
            worst = peer;
        }
    }
    if (all > UNREAD_OF_ALL && worst != NULL)
        worst->clogged = peers->clogged = true;
}

static void note_sent(struct peers *peers, struct peer *peer)
{
    size_t bytes = wire_sent_bytes(peers->socket);
    size_t unread = connections_count_sent(peers->connections, peer->fd,
                                           peer->number, bytes);

    if (unread > UNREAD_MOST)
        peer->clogged = peers->clogged = true;
    else if (bytes > UNREAD_SHORT)
        check_total_unread(peers);
}

bool peers_tell(struct peers *peers, struct peer *peer,
                const struct message *message)
{
    struct err err = ERR_CLEAR;

    if (peer->clogged)
        return false;
    if (wire_send(peers->socket, &peer->id, message, &err)) {
        note_sent(peers, peer);
        return true;
    }
    log_info("send-failed", "%s to a peer: %s",
             message_kind_name(message->kind), err.text);
    return false;
}

static void send_refused(struct peers *peers, const struct wire_id *id,
                         const char *code, const char *text)
{
    struct message message = {.kind = MESSAGE_REFUSED,
                              .as.refused = {.code = code, .text = text}};

    wire_send(peers->socket, id, &message, NULL);
}

void peers_refuse(struct peers *peers, const struct wire_id *id,
                  const char *who, const char *code, const char *text)
{
    send_refused(peers, id, code, text);
    log_warn("peer-refused", "%s: %s%s%s", code, who,
             who[0] == '\0' ? "" : ": ", text);
}

void peers_ask_to_greet(struct peers *peers, const struct wire_id *id)
{
    send_refused(peers, id, "hello", "greet with HELLO first");
}

void peers_drop_clogged(struct peers *peers, int64_t now)
{
    if (!peers->clogged)
        return;
    peers->clogged = false;
    for (struct peer *peer = peers->first[PEER_CLIENT], *next; peer != NULL;
         peer = next) {
        next = peer->next;
        if (peer->clogged)
            peers_cut_off(peers, peer, "it does not read what it asks for",
                          now);
    }
}
