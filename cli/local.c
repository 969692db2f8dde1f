#include "cli/local.h"

#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "cli/answer_query.h"
#include "coordinator/coordinator.h"
#include "wire/socket.h"
#include "worker/worker.h"

#include "common/text.h"
#include "wire/inproc.h"

enum { URLS_MAX_BYTES = 4096, DISK_PATIENCE_MS = 10000 };

static void list_urls(struct local *out, const struct servers *servers)
{
    for (size_t i = 0; servers != NULL && i < servers->n; i++)
        buf_printf(&out->urls, "%s%s", i > 0 ? ", " : "",
                   servers->addresses[i].url);
}

// Returns true if there are servers that we do not know how to start.
static bool has_others(const struct servers *servers)
{
    for (size_t i = 0; servers != NULL && i < servers->n; i++)
        if (strcmp(servers->addresses[i].backend, "ollama") != 0)
            return true;
    return false;
}

static bool start_coordinator(struct local *out, const struct options *options,
                              const char *store, const struct servers *servers,
                              struct err *err)
{
    struct coordinator_options with = COORDINATOR_DEFAULTS;
    char endpoint[INPROC_NAME_BYTES];

    inproc_name(endpoint, "promptcc");
    with.listen = endpoint;
    with.store = store;
    with.wait_start_ms = option_number(options, OPT_WAIT, with.wait_start_ms);
    with.wait_after_ms = option_number(options, OPT_WAIT, with.wait_after_ms);
    with.call_timeout_ms =
        option_number(options, OPT_CALL_TIMEOUT, with.call_timeout_ms);
    // Someone waits for this run and can be told that the disk is full. A
    // coordinator on the network continues on its own once there is room again,
    // however late.
    with.disk_patience_ms = DISK_PATIENCE_MS;
    with.program = answer_query_program();
    with.local = true;
    with.read_only = servers == NULL || servers->n == 0;
    with.allow_exec = true;
    with.servers = out->urls.data;
    with.other_servers = has_others(servers);
    with.refusal = &out->refusal;
    out->coordinator = coordinator_start(out->zmq, &with, err);
    return out->coordinator != NULL;
}

// Makes the worker's name for history and messages, such as "localhost:11434".
static void name_worker(const struct model_address *address, size_t i,
                        char *name, size_t size)
{
    const char *host = strstr(address->url, "://");

    if (strncmp(address->url, "http", 4) != 0 || host == NULL)
        (void)snprintf(name, size, "worker-%zu", i + 1);
    else
        (void)text_print(name, size, "%.100s", host + 3);
}

static bool start_worker(struct local *out, const struct model_address *address,
                         struct err *err)
{
    char name[128];
    struct worker_options options = {.coordinator = local_endpoint(out),
                                     .name = name,
                                     .address = *address,
                                     .refusal = &out->refusal};

    name_worker(address, out->n_workers, name, sizeof name);
    out->workers[out->n_workers] = worker_start(out->zmq, &options, err);
    if (out->workers[out->n_workers] == NULL)
        return false;
    out->n_workers++;
    return true;
}

bool local_start(struct local *out, const struct options *options,
                 const char *store, const struct servers *servers,
                 struct err *err)
{
    *out = (struct local){.urls = BUF_INIT(URLS_MAX_BYTES),
                          .refusal = LAST_WORDS_INIT};
    list_urls(out, servers);
    out->zmq = wire_context(err);
    if (out->zmq == NULL ||
        !start_coordinator(out, options, store, servers, err))
        return false;
    for (size_t i = 0; servers != NULL && i < servers->n; i++)
        if (!start_worker(out, &servers->addresses[i], err))
            return false;
    return true;
}

const char *local_endpoint(const struct local *local)
{
    return coordinator_endpoint(local->coordinator);
}

void local_stop(struct local *local)
{
    for (size_t i = 0; i < local->n_workers; i++)
        worker_drain(local->workers[i]);
    for (size_t i = 0; i < local->n_workers; i++)
        worker_stop(local->workers[i]);
    coordinator_stop(local->coordinator);
    if (local->zmq != NULL)
        zmq_ctx_term(local->zmq);
    buf_release(&local->urls);
    *local = (struct local){0};
}
