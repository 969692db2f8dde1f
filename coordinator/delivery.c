#include "coordinator/delivery.h"

#include <inttypes.h>

#include "common/log.h"
#include "coordinator/engine.h"
#include "coordinator/flight.h"
#include "coordinator/peer.h"
#include "coordinator/peers.h"
#include "coordinator/side_call.h"
#include "wire/mailbox.h"

static void lose_worker(struct peers *peers, struct peer *peer,
                        const struct err *why, int64_t now)
{
    log_warn("worker-unreachable", "%s: %s", peer->worker->name, why->text);
    peers_remove(peers, peer, "lost", now);
}

// prefix is the name of the call's prefix; NULL for a call that is sent whole.
static bool send_to_worker(struct peers *peers, int32_t worker,
                           const struct call_message *call,
                           const struct hash *prefix, int64_t now,
                           struct err *err)
{
    struct peer *peer = peers_find_worker(peers, worker);
    struct err why = ERR_CLEAR;

    if (peer == NULL || mailbox_put_call(peer->mailbox, call, prefix, &why))
        return true;
    if (why.code == ERR_LIMIT || why.code == ERR_NOMEM) {
        *err = why;
        return false;
    }
    lose_worker(peers, peer, &why, now);
    return true;
}

bool delivery_send_call(struct peers *peers, const struct action *action,
                        const struct flight *flight, int64_t now,
                        struct err *err)
{
    const struct order *order = &flight->order;
    const struct model_entry *model =
        &peers_engine(peers)->models.entries[order->model];
    struct call_message call = {.id = action->lease,
                                .timeout_ms = flight->timeout_ms,
                                .digest = models_worker_digest(model->digest),
                                .key = (const char *)order->key.bytes,
                                .key_len = sizeof order->key.bytes,
                                .request = {.kind = order->kind,
                                            .model = model->name,
                                            .prefix = order->prefix->text,
                                            .prefix_len = order->prefix->len,
                                            .tail = order->ask.payload,
                                            .tail_len = order->ask.payload_len,
                                            .format = order->prefix->format,
                                            .options = order->options}};

    return send_to_worker(peers, action->worker, &call, &order->prefix->hash,
                          now, err);
}

bool delivery_send_side_call(struct peers *peers, const struct action *action,
                             const struct side_call *side, int64_t now,
                             struct err *err)
{
    struct call_message call =
        side_call_message(peers_engine(peers), side, action);

    return send_to_worker(peers, action->worker, &call, NULL, now, err);
}

void delivery_send_again(struct peers *peers, const struct action *action,
                         int64_t now)
{
    struct engine *engine = peers_engine(peers);
    struct flight *flight = flights_find_id(&engine->flights, action->call);
    struct side_call *side =
        flight != NULL ? NULL : side_call_find(engine, action->call);
    struct err err = ERR_CLEAR;

    log_info("call-sent-again", "lease %" PRId64 " was lost on its way",
             action->lease);
    if (flight != NULL)
        (void)delivery_send_call(peers, action, flight, now, &err);
    else if (side != NULL)
        (void)delivery_send_side_call(peers, action, side, now, &err);
}

void delivery_send_proofs(struct peers *peers, int64_t now)
{
    struct message message = {.kind = MESSAGE_CALL};
    struct wire_socket *socket = peers_mailboxes(peers)->socket;
    struct proof *proof;

    while ((proof = proofs_next(peers_engine(peers), now, &message.as.call)) !=
           NULL) {
        const struct peer *peer = peers_find_worker(peers, proof->worker);

        if (peer != NULL)
            (void)wire_send(socket, &peer->id, &message, NULL);
    }
}

void delivery_cancel(struct peers *peers, const struct action *action)
{
    struct peer *peer = peers_find_worker(peers, action->worker);
    struct message message = {.kind = MESSAGE_CANCEL,
                              .as.cancel = {.id = action->lease}};

    if (peer != NULL)
        (void)mailbox_put(peer->mailbox, &message, NULL);
}

void delivery_flush(struct peers *peers, int64_t now)
{
    struct mailboxes *mailboxes = peers_mailboxes(peers);
    struct err why = ERR_CLEAR;
    struct peer *peer;

    while ((peer = mailboxes_flush(mailboxes, &why)) != NULL) {
        lose_worker(peers, peer, &why, now);
        why = ERR_CLEAR;
    }
}
