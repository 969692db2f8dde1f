#include "coordinator/greeting.h"

#include <inttypes.h>

#include "common/log.h"
#include "common/text.h"
#include "coordinator/engine.h"
#include "coordinator/peer.h"
#include "coordinator/peers.h"
#include "wire/listener.h"

static void welcome(struct peers *peers, struct peer *peer)
{
    struct message message = {.kind = MESSAGE_WELCOME,
                              .as.welcome = {.heartbeat_ms = WIRE_HEARTBEAT_MS,
                                             .idle_ms = peers_idle_ms(peers),
                                             .name = peer->worker == NULL
                                                         ? "client"
                                                         : peer->worker->name,
                                             .several = 1}};

    peers_tell(peers, peer, &message);
}

static void log_joined(const struct worker_info *worker)
{
    char slots[TEXT_COUNTED_BYTES], models[TEXT_COUNTED_BYTES];

    log_info("worker-joined", "%s: %s, %s, %s", worker->name, worker->server,
             text_counted(slots, worker->slots, "slot"),
             text_counted(models, (int64_t)worker->n_models, "model"));
}

// Call for a worker whose server or models are new to us: asks for its proofs,
// and notes it in the store.
static void accept_worker(struct peers *peers, struct worker_info *worker,
                          int64_t now)
{
    struct engine *engine = peers_engine(peers);

    proofs_expect_worker(engine, worker, now);
    worker_rows_note(&engine->worker_rows, worker, "serving", now);
    log_joined(worker);
}

// Handles a repeated HELLO of a worker in the middle of its work: its server
// may have other models now. If so, the worker proves all its models again.
static void note_models(struct peers *peers, struct worker_info *worker,
                        const struct hello *hello, int64_t now)
{
    struct engine *engine = peers_engine(peers);
    struct err err = ERR_CLEAR;

    if (workers_change(&engine->workers, worker, hello, &engine->models,
                       engine->dispatch, &err)) {
        proofs_forget_worker(engine, worker->number);
        accept_worker(peers, worker, now);
    } else if (err.code != ERR_NONE) {
        log_warn("models-not-noted", "%s: %s", worker->name, err.text);
    }
}

static void greet_again(struct peers *peers, struct peer *peer,
                        const struct hello *hello, int64_t now)
{
    peers_note_connection(peers, peer);
    if (peer->worker != NULL)
        note_models(peers, peer->worker, hello, now);
    welcome(peers, peer);
}

// Finds the same worker on another connection. Nobody else can claim to be it:
// an instance has 63 random bits, and the key must be the same.
static struct peer *find_former(const struct peers *peers,
                                const struct hello *hello)
{
    struct peer *former = hello->role == PEER_WORKER
                              ? peers_find_instance(peers, hello->instance)
                              : NULL;

    return former != NULL &&
                   listener_has_key(peers_listener(peers), former->key)
               ? former
               : NULL;
}

// Logs who was refused, so that the machine can be found.
static void refuse(struct peers *peers, const struct wire_id *from,
                   const struct hello *hello, const char *code,
                   const char *text)
{
    char who[300];

    (void)text_print(who, sizeof who, "%s %s (%s)",
                     hello->role == PEER_WORKER ? "worker" : "client",
                     hello->name, hello->software);
    peers_refuse(peers, from, who, code, text);
}

// Returns true if both speak the same version of the protocol. If not, err
// names the older one, which should be replaced.
static bool speaks_ours(const struct hello *hello, struct err *err)
{
    if (hello->version == WIRE_VERSION)
        return true;
    err_set(err, ERR_PROTOCOL,
            "the coordinator speaks version %d of the protocol, and this "
            "promptcc version %" PRId64 ": %s",
            WIRE_VERSION, hello->version,
            hello->version < WIRE_VERSION
                ? "install the coordinator's here"
                : "install this one beside the coordinator, or the "
                  "coordinator's here");
    return false;
}

// Returns true if the sender may be admitted at all. If not, it has been told
// why.
static bool is_acceptable(struct peers *peers, const struct wire_id *from,
                          const struct hello *hello)
{
    struct err err = ERR_CLEAR;

    if (!speaks_ours(hello, &err)) {
        refuse(peers, from, hello, "version", err.text);
        return false;
    }
    if (listener_gives_role(peers_listener(peers), (enum peer_role)hello->role,
                            &err))
        return true;
    refuse(peers, from, hello, "role", err.text);
    return false;
}

void greeting_handle(struct peers *peers, const struct wire_id *from,
                     const struct hello *hello, int64_t now)
{
    struct peer *known, *former, *peer;
    struct token_bucket messages = {0};
    struct err err = ERR_CLEAR;

    if (!is_acceptable(peers, from, hello))
        return;
    known = peers_find(peers, from);
    if (known != NULL && known->epoch == hello->epoch) {
        greet_again(peers, known, hello, now);
        return;
    }
    if (known != NULL) {
        messages = known->messages;
        peers_remove(peers, known, "lost", now);
    }
    former = find_former(peers, hello);
    if (former != NULL && former->greeting > hello->greeting) {
        log_debug("hello-late", "%s has greeted anew since", hello->name);
        return;
    }
    if (former != NULL)
        peers_remove(peers, former, "lost", now);
    peer = peers_add(peers, from, hello, now, &err);
    if (peer == NULL) {
        refuse(peers, from, hello, "full", err.text);
        return;
    }
    if (messages.burst > 0) // or greeting again would fill the bucket
        peer->messages = messages;
    welcome(peers, peer);
    if (peer->worker == NULL)
        return;
    kept_calls_note(&peers_engine(peers)->kept, peer->worker->number,
                    hello->kept, hello->kept_len, (size_t)hello->slots + 1,
                    now);
    accept_worker(peers, peer->worker, now);
}
