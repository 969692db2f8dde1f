#include "simulation/servers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/vector.h"
#include "model/model.h"
#include "simulation/machine.h"
#include "simulation/network.h"

// So quick that the rest of the job takes only as long as it has to wait.
enum { HEALED_SPEED = 8 };

struct call {
    struct model_client *client; // NULL: its client is gone or cancelled it
    struct call *next;           // next call of the client
    struct model_done done;
};

struct model_client {
    int server;
    struct call *open;
    struct call *first, **last; // done
    size_t n_open;
    bool woken;
};

static struct server servers[SERVERS_MOST];

void servers_start(void)
{
    for (int i = 0; i < SERVERS_MOST; i++)
        servers[i] = (struct server){.speed = 1};
}

void servers_heal(void)
{
    for (int i = 0; i < SERVERS_MOST; i++) {
        servers[i].fails = servers[i].hangs = 0;
        servers[i].away_us = servers[i].frozen_us = 0;
        servers[i].speed = HEALED_SPEED;
    }
}

struct server *servers_get(int number)
{
    return &servers[number];
}

// --- what the model says ---

struct hash servers_request(const char *prefix, size_t prefix_len,
                            const char *tail, size_t tail_len, int64_t seed)
{
    struct hasher hasher;

    hasher_init(&hasher, "simulation");
    hasher_add(&hasher, prefix, prefix_len);
    hasher_add(&hasher, tail, tail_len);
    hasher_add_int(&hasher, seed);
    return hasher_end(&hasher);
}

static bool contains(const char *text, size_t len, const char *what)
{
    size_t n = strlen(what);

    for (size_t i = 0; i + n <= len; i++)
        if (text[i] == what[0] && memcmp(text + i, what, n) == 0)
            return true;
    return false;
}

static const char *topic_of(const char *tail, size_t len, uint64_t luck)
{
    static const char *const topics[] = {"garden", "kitchen", "travel",
                                         "music"};

    for (size_t i = 0; i < 4; i++)
        if (contains(tail, len, topics[i]))
            return topics[luck % 10 < 7 ? i : luck % 4];
    return topics[luck % 4];
}

static enum call_outcome outcome_of(uint64_t luck)
{
    if (luck % 53 == 0)
        return CALL_EMPTY;
    return luck % 41 == 0 ? CALL_CUT : CALL_TEXT;
}

// Embeds a text, which comes as a list of one (common/call.h): the text
// determines one of four directions.
static struct call_answer embed(const struct hash *hash, size_t len)
{
    struct call_answer answer = {.cached_tokens = -1,
                                 .prompt_tokens = (int32_t)(len / 4)};
    struct buf text = BUF_INIT(1 << 10);
    struct err err = ERR_CLEAR;
    double numbers[4];

    for (size_t i = 0; i < 4; i++)
        numbers[i] = 1 + (double)hash->bytes[i];
    if (!vector_write(numbers, 4, &text, &err))
        abort();
    answer.text_len = text.len;
    answer.text = buf_take(&text);
    return answer;
}

struct call_answer servers_answer(const char *prefix, size_t prefix_len,
                                  const char *tail, size_t tail_len,
                                  int64_t seed)
{
    struct hash hash =
        servers_request(prefix, prefix_len, tail, tail_len, seed);
    struct call_answer answer = {.cached_tokens = -1};
    uint64_t luck;
    char text[300];

    if (prefix_len == 1)
        return embed(&hash, tail_len);
    memcpy(&luck, hash.bytes, sizeof luck);
    answer.outcome = outcome_of(luck);
    if (answer.outcome == CALL_EMPTY)
        text[0] = '\0';
    else if (luck % 23 == 0)
        (void)snprintf(text, sizeof text, "I had rather not say.");
    else if (contains(prefix, prefix_len, "`topic`"))
        (void)snprintf(text, sizeof text,
                       "[[ ## topic ## ]]\n%s\n\n[[ ## completed ## ]]\n",
                       topic_of(tail, tail_len, luck >> 8));
    else
        (void)snprintf(text, sizeof text,
                       "[[ ## gist ## ]]\nA %s word, %u\n\n"
                       "[[ ## completed ## ]]\n",
                       topic_of(tail, tail_len, luck >> 8),
                       (unsigned)(luck >> 16) % 1000);
    answer.text = strdup(text);
    answer.text_len = strlen(text);
    answer.prompt_tokens = (int32_t)((prefix_len + tail_len) / 4);
    answer.generated_tokens = 20;
    return answer;
}

// Obeys a format with a single word in it, which leaves only one possible
// reply. This is how a worker shows that its server obeys formats
// (coordinator/proof.h).
static void heed_format(const char *format, struct call_answer *answer)
{
    const char *word = format == NULL ? NULL : strstr(format, "zyzzyva");

    if (word == NULL)
        return;
    free(answer->text);
    answer->outcome = CALL_TEXT;
    answer->text = strdup("{\"word\": \"zyzzyva\"}");
    answer->text_len = strlen(answer->text);
}

// --- model/model.h ---

struct model_client *model_client_new(const struct model_address *address,
                                      struct err *err)
{
    struct model_client *client = calloc(1, sizeof *client);

    (void)err;
    if (client == NULL ||
        sscanf(address->url, "http://server-%d", &client->server) != 1)
        abort();
    client->last = &client->first;
    return client;
}

static void drop(struct call *call)
{
    call_answer_release(&call->done.answer);
    free(call);
}

void model_client_free(struct model_client *client)
{
    if (client == NULL)
        return;
    for (struct call *at = client->open; at != NULL; at = at->next)
        at->client = NULL; // its event frees it
    while (client->first != NULL) {
        struct call *next = client->first->next;

        drop(client->first);
        client->first = next;
    }
    free(client);
}

bool model_probe(struct model_client *client, int64_t timeout_ms,
                 struct model_server *out, struct err *err)
{
    const struct server *server = &servers[client->server];

    machine_sleep(1000 + (int64_t)machine_below(3000));
    if (machine_now_us() < server->frozen_us)
        machine_sleep(timeout_ms * 1000);
    if (machine_now_us() < server->away_us)
        machine_sleep((int64_t)machine_below((uint64_t)timeout_ms * 1000));
    if (machine_now_us() < server->away_us ||
        machine_now_us() < server->frozen_us) {
        err_set(err, ERR_IO, "http://server-%d does not answer",
                client->server);
        return false;
    }
    *out = (struct model_server){.version = "1.0", .n_models = 2};
    out->models = calloc(2, sizeof *out->models);
    if (out->models == NULL)
        abort();
    out->models[0] = (struct model_info){.name = SERVERS_MODEL,
                                         .digest = SERVERS_DIGEST,
                                         .quantization = "Q4_0",
                                         .context = 8192};
    out->models[1] = (struct model_info){.name = SERVERS_EMBEDDER,
                                         .digest = SERVERS_DIGEST,
                                         .quantization = "F16",
                                         .context = 256};
    return true;
}

static void unlink_open(struct call *call)
{
    struct call **at = &call->client->open;

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    call->client->n_open--;
}

static void finish(void *user)
{
    struct call *call = user;
    struct model_client *client = call->client;

    if (client == NULL) {
        drop(call);
        return;
    }
    unlink_open(call);
    call->next = NULL;
    *client->last = call;
    client->last = &call->next;
}

static void set_fault(struct model_done *done, enum call_fault fault)
{
    call_answer_release(&done->answer);
    done->fault = fault;
    (void)snprintf(done->text, sizeof done->text, "%s, as it happens",
                   call_fault_name(fault));
}

static enum call_fault any_fault(void)
{
    static const enum call_fault faults[] = {FAULT_SERVER, FAULT_BROKEN,
                                             FAULT_GARBAGE, FAULT_BUSY};

    return faults[machine_below(4)];
}

// Works on a call: sets its outcome in `done`, and returns how long it takes in
// microseconds.
static int64_t work_on(struct server *server, struct model_done *done,
                       int64_t timeout_ms)
{
    int64_t us =
        (int64_t)((double)(500000 + machine_below(4000000)) / server->speed);

    if (machine_now_us() < server->away_us) {
        set_fault(done, FAULT_REFUSED);
        return 1000;
    }
    if (machine_chance(server->hangs)) {
        set_fault(done, FAULT_TIMEOUT);
        return timeout_ms * 1000;
    }
    if (machine_chance(server->fails))
        set_fault(done, any_fault());
    if (machine_now_us() < server->frozen_us)
        us += server->frozen_us - machine_now_us();
    if (us > timeout_ms * 1000) {
        set_fault(done, FAULT_TIMEOUT);
        return timeout_ms * 1000;
    }
    server->answered += done->fault == FAULT_NONE;
    done->answer.total_us = us;
    done->answer.prompt_us = us / 2;
    done->answer.generate_us = us / 2;
    return us;
}

bool model_begin(struct model_client *client, int64_t id,
                 const struct call_request *request, int64_t timeout_ms,
                 struct err *err)
{
    struct server *server = &servers[client->server];
    struct call *call = calloc(1, sizeof *call);

    (void)err;
    if (call == NULL)
        abort();
    call->client = client;
    call->done = (struct model_done){
        .id = id,
        .answer =
            servers_answer(request->prefix, request->prefix_len, request->tail,
                           request->tail_len, request->options.seed)};
    heed_format(request->format, &call->done.answer);
    call->next = client->open;
    client->open = call;
    client->n_open++;
    server->begun++;
    machine_at(machine_now_us() + work_on(server, &call->done, timeout_ms),
               finish, call);
    return true;
}

// A call in flight is freed by its event, one that is done at once.
void model_cancel(struct model_client *client, int64_t id)
{
    for (struct call *at = client->open; at != NULL; at = at->next) {
        if (at->done.id != id)
            continue;
        unlink_open(at);
        at->client = NULL;
        return;
    }
    for (struct call **at = &client->first; *at != NULL; at = &(*at)->next) {
        struct call *call = *at;

        if (call->done.id != id)
            continue;
        *at = call->next;
        if (call->next == NULL)
            client->last = at;
        drop(call);
        return;
    }
}

size_t model_open(const struct model_client *client)
{
    return client->n_open;
}

struct waiting {
    struct model_client *client;
    int fd;
};

static bool has_news(void *user)
{
    const struct waiting *waiting = user;

    return waiting->client->woken || waiting->client->first != NULL ||
           (waiting->fd >= 0 && network_readable(waiting->fd));
}

bool model_poll(struct model_client *client, int extra_fd, int64_t timeout_ms,
                struct err *err)
{
    struct waiting waiting = {client, extra_fd};

    (void)err;
    (void)machine_wait(has_news, &waiting,
                       machine_now_us() + timeout_ms * 1000);
    client->woken = false;
    return true;
}

void model_wake(struct model_client *client)
{
    client->woken = true;
}

bool model_take_done(struct model_client *client, struct model_done *out)
{
    struct call *call = client->first;

    if (call == NULL)
        return false;
    client->first = call->next;
    if (client->first == NULL)
        client->last = &client->first;
    *out = call->done;
    free(call);
    return true;
}
