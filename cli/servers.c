#include "cli/servers.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "simulated/sim_server.h"

#define DISCOVER_PORTS "11434-11449,8080"

enum { SIMULATED_SLOTS = 8, DISCOVER_MS = 2000, DISCOVER_MOST = 1000 };

// Returns true if the server is already in the list. Two workers for one server
// would give it twice the calls that it can handle.
static bool is_listed(const struct servers *servers,
                      const struct model_address *address)
{
    for (size_t i = 0; i < servers->n; i++)
        if (model_address_same(&servers->addresses[i], address))
            return true;
    return false;
}

static bool add_list(struct servers *out, const struct options *options,
                     enum option_id id, const char *backend, struct err *err)
{
    const char *const *texts;
    size_t n = option_list(options, id, &texts);

    for (size_t i = 0; i < n; i++) {
        if (out->n == SERVERS_MAX) {
            err_set(err, ERR_INPUT,
                    "more than %d model servers were named: start further "
                    "workers with `promptcc worker`",
                    SERVERS_MAX);
            return false;
        }
        if (!model_address_parse(backend, texts[i], &out->addresses[out->n],
                                 err))
            return false;
        if (is_listed(out, &out->addresses[out->n])) {
            err_set(err, ERR_INPUT,
                    "the model server %.100s is named twice: name it once, "
                    "with `,slots=N` for how many calls it works on at once",
                    out->addresses[out->n].url);
            return false;
        }
        out->n++;
    }
    return true;
}

// Adds the servers of each option that is named after a backend.
static bool add_lists(struct servers *out, const struct options *options,
                      struct err *err)
{
    const char *backend;

    for (size_t i = 0; (backend = model_backend_name(i)) != NULL; i++) {
        if (!add_list(out, options, option_named(backend), backend, err))
            return false;
    }
    return true;
}

// Starts the servers that we run ourselves; they come last in the list.
static bool start_llama(struct servers *out, const struct options *options,
                        struct err *err)
{
    const char *const *texts;
    size_t n = option_list(options, OPT_LLAMA_SERVER, &texts);

    for (size_t i = 0; i < n; i++) {
        struct llama_server *server;
        char url[96];

        if (out->n == SERVERS_MAX) {
            err_set(err, ERR_INPUT, "more than %d model servers were named",
                    SERVERS_MAX);
            return false;
        }
        server = llama_server_start(texts[i], err);
        if (server == NULL)
            return false;
        out->llama[out->n_llama++] = server;
        out->digests[out->n] = llama_server_digest(server);
        (void)snprintf(url, sizeof url, "%s,slots=%d", llama_server_url(server),
                       llama_server_slots(server));
        if (!model_address_parse("llama", url, &out->addresses[out->n], err))
            return false;
        out->n++;
    }
    return true;
}

static bool start_simulated(struct servers *out, const char *const *models,
                            size_t n_models, struct err *err)
{
    struct sim_options options = {.slots = SIMULATED_SLOTS,
                                  .models = models,
                                  .n_models = n_models,
                                  .models_loaded = n_models,
                                  .only_models = true};
    char url[64];

    if (out->n > 0) {
        err_set(err, ERR_INPUT,
                "the stand-in (--simulate) replaces all model servers: leave "
                "out either --simulate or the address of a real one");
        return false;
    }
    out->sim = sim_server_start(&options, err);
    if (out->sim == NULL)
        return false;
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u,slots=%d",
                   sim_server_port(out->sim), SIMULATED_SLOTS);
    out->n = 1;
    return model_address_parse("ollama", url, &out->addresses[0], err);
}

// --- servers found on this machine ---

// Returns true if anything listens on that port; a refusal is immediate.
static bool listens(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ok = fd >= 0 &&
         connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

// Finds out which backend listens there, by asking in the words of each.
static bool find_backend(int port, struct model_address *out)
{
    const char *backend;
    char url[64];

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    for (size_t i = 0; (backend = model_backend_name(i)) != NULL; i++) {
        struct model_server found = {0};
        struct model_client *client = NULL;
        bool ok = model_address_parse(backend, url, out, NULL);

        if (ok)
            client = model_client_new(out, NULL);
        ok = client != NULL && model_probe(client, DISCOVER_MS, &found, NULL) &&
             found.n_models > 0;
        model_server_release(&found);
        model_client_free(client);
        if (ok)
            return true;
    }
    return false;
}

static bool discover_ports(struct servers *out, long from, long to,
                           struct err *err)
{
    for (long port = from; port <= to; port++) {
        struct model_address address;

        if (!listens((int)port) || !find_backend((int)port, &address) ||
            is_listed(out, &address))
            continue;
        if (out->n == SERVERS_MAX) {
            err_set(err, ERR_INPUT, "more than %d model servers listen here",
                    SERVERS_MAX);
            return false;
        }
        out->addresses[out->n++] = address;
    }
    return true;
}

// Finds servers on the ports of --discover, such as "11434-11449,8080".
static bool discover(struct servers *out, const struct options *options,
                     struct err *err)
{
    const char *ports = option_text(options, OPT_DISCOVER);
    const char *at;

    if (ports[0] == '\0') // without a value
        ports = DISCOVER_PORTS;
    for (at = ports; *at != '\0'; at += *at == ',') {
        char *end = NULL;
        long from = strtol(at, &end, 10);
        long to = *end == '-' ? strtol(end + 1, &end, 10) : from;

        if ((*end != '\0' && *end != ',') || from < 1 || to < from ||
            to > UINT16_MAX || to - from > DISCOVER_MOST) {
            err_set(err, ERR_INPUT,
                    "--discover cannot be `%.60s`: it takes ports such "
                    "as " DISCOVER_PORTS,
                    ports);
            return false;
        }
        if (!discover_ports(out, from, to, err))
            return false;
        at = end;
    }
    if (out->n > 0)
        return true;
    err_set(err, ERR_INPUT,
            "no model server with a model listens on the ports %.60s of this "
            "machine: start one, or name it with --ollama or --openai",
            ports);
    return false;
}

// Applies --keep-alive, with which the machine's owner says how long models
// stay loaded.
static bool apply_keep_alive(struct servers *out, const struct options *options,
                             struct err *err)
{
    const char *text = option_text(options, OPT_KEEP_ALIVE);

    for (size_t i = 0; text != NULL && i < out->n; i++)
        if (!model_keep_alive(&out->addresses[i], text, err))
            return false;
    return true;
}

bool servers_open(struct servers *out, const struct options *options,
                  bool simulate, const char *const *models, size_t n_models,
                  struct err *err)
{
    *out = (struct servers){0};
    if (!add_lists(out, options, err) || !start_llama(out, options, err))
        return false;
    if (simulate)
        return start_simulated(out, models, n_models, err);
    if (option_on(options, OPT_DISCOVER))
        return discover(out, options, err) &&
               apply_keep_alive(out, options, err);
    if (out->n == 0) {
        out->n = 1;
        if (!model_address_parse("ollama", SERVERS_DEFAULT_OLLAMA,
                                 &out->addresses[0], err))
            return false;
    }
    return apply_keep_alive(out, options, err);
}

bool servers_open_one(struct servers *out, const struct options *options,
                      const char *const *models, size_t n_models,
                      struct err *err)
{
    if (!servers_open(out, options, option_on(options, OPT_SIMULATE), models,
                      n_models, err))
        return false;
    if (out->n == 1)
        return true;
    err_set(err, ERR_INPUT,
            "this command asks one model server, but %zu are named: name one "
            "of them, such as %.80s, or a load balancer in front of them",
            out->n, out->addresses[0].url);
    return false;
}

void servers_tend(struct servers *servers, int64_t now_ms)
{
    for (size_t i = 0; i < servers->n_llama; i++)
        llama_server_tend(servers->llama[i], now_ms);
}

void servers_close(struct servers *servers)
{
    for (size_t i = 0; i < servers->n_llama; i++)
        llama_server_stop(servers->llama[i]);
    sim_server_stop(servers->sim);
    *servers = (struct servers){0};
}
