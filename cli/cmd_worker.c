#include <poll.h>
#include <stdio.h>

#include <zmq.h>

#include "cli/ask.h"
#include "cli/command.h"
#include "cli/option_about.h"
#include "cli/output.h"
#include "cli/servers.h"
#include "cli/worker_probe.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/signals.h"
#include "common/text.h"
#include "wire/socket.h"
#include "worker/worker.h"

enum { LOOK_MS = 100 };

// One worker for each model server; they share nothing but the process.
struct workers_here {
    struct worker *workers[SERVERS_MAX]; // owned
    bool announced[SERVERS_MAX];
    size_t n;
};

// Starts all workers; `alike` is what the options say about all of them.
static bool start_all(struct workers_here *workers, void *zmq,
                      const struct worker_options *alike,
                      const struct servers *servers, struct err *err)
{
    char name[160];

    for (size_t i = 0; i < servers->n; i++) {
        struct worker_options with = *alike;

        with.digest = servers->digests[i];
        with.address = servers->addresses[i];
        if (alike->name != NULL && servers->n > 1) {
            (void)text_print(name, sizeof name, "%.100s-%zu", alike->name,
                             i + 1);
            with.name = name;
        }
        workers->workers[i] = worker_start(zmq, &with, err);
        if (workers->workers[i] == NULL)
            return false;
        workers->n++;
    }
    return true;
}

static bool any_left(const struct workers_here *workers)
{
    for (size_t i = 0; i < workers->n; i++)
        if (!worker_ended(workers->workers[i]))
            return true;
    return false;
}

// Prints a line for each worker when it first serves.
static void tell_serving(struct workers_here *workers,
                         const struct servers *servers, const char *endpoint)
{
    for (size_t i = 0; i < workers->n; i++) {
        const struct model_address *address = &servers->addresses[i];
        char slots[TEXT_COUNTED_BYTES];

        if (workers->announced[i] || !worker_serving(workers->workers[i]))
            continue;
        workers->announced[i] = true;
        printf("serving %s with %s (%s), %s\n", endpoint, address->url,
               address->backend, text_counted(slots, address->slots, "slot"));
        (void)fflush(stdout);
    }
}

static void serve(struct workers_here *workers, struct servers *servers,
                  const char *endpoint)
{
    struct pollfd item = {.fd = signals_fd(), .events = POLLIN};

    while (!signals_came() && any_left(workers)) {
        (void)poll(&item, 1, LOOK_MS);
        servers_tend(servers, clock_monotonic_ms());
        tell_serving(workers, servers, endpoint);
    }
}

// Lets all workers finish. They continue to answer health checks meanwhile.
static void drain_all(const struct workers_here *workers)
{
    for (size_t i = 0; i < workers->n; i++)
        worker_drain(workers->workers[i]);
    while (any_left(workers))
        (void)poll(NULL, 0, LOOK_MS);
}

static void stop_all(struct workers_here *workers)
{
    for (size_t i = 0; i < workers->n; i++)
        worker_stop(workers->workers[i]);
}

// `place` is the address for health checks, or NULL.
static bool work(const struct worker_options *alike, struct servers *servers,
                 const char *place, struct err *err)
{
    struct workers_here workers = {0};
    struct worker_probe *probe = NULL;
    void *zmq = NULL;
    bool ok = false;

    if (signals_open(err))
        zmq = wire_context(err);
    if (zmq != NULL)
        ok = start_all(&workers, zmq, alike, servers, err);
    if (ok && place != NULL) {
        probe = worker_probe_start(place, workers.workers, workers.n, err);
        ok = probe != NULL;
    }
    if (probe != NULL)
        printf("probes on http://%s\n", worker_probe_place(probe));
    if (ok) {
        signals_serve();
        signals_accept();
        serve(&workers, servers, alike->coordinator);
    }
    drain_all(&workers);
    worker_probe_stop(probe);
    stop_all(&workers);
    if (zmq != NULL)
        zmq_ctx_term(zmq);
    signals_close();
    return ok;
}

static bool read_guest(const struct options *options, struct guest *out,
                       struct err *err)
{
    const char *hours = option_text(options, OPT_HOURS);

    *out = (struct guest){.yields = option_on(options, OPT_YIELD),
                          .most_load = option_number(options, OPT_YIELD, 0),
                          .has_hours = hours != NULL};
    return hours == NULL || guest_hours_parse(hours, &out->hours, err);
}

static int run(const struct options *options)
{
    struct servers servers = {0};
    struct err err = ERR_CLEAR;
    const char *endpoint = ask_endpoint(options, &err);
    struct key key = KEY_EMPTY;
    struct guest guest = {0};
    bool ok = endpoint != NULL && ask_key(options, KEY_WORKER, &key, &err) &&
              read_guest(options, &guest, &err) &&
              servers_open(&servers, options, false, NULL, 0, &err);

    // Whoever runs a worker wants to see it come, go and step back.
    log_set_level(option_on(options, OPT_QUIET) ? LOG_ERROR : LOG_INFO);
    const struct worker_options alike = {
        .coordinator = endpoint,
        .name = option_text(options, OPT_NAME),
        .key = &key,
        .idle_ms = option_number(options, OPT_IDLE, 0),
        .guest = guest,
        .restart_cmd = option_text(options, OPT_RESTART_CMD)};
    ok = ok && work(&alike, &servers, option_text(options, OPT_HTTP), &err);
    key_wipe(&key);
    servers_close(&servers);
    return ok ? EXIT_DONE : output_error(options, &err);
}

const struct command_entry cmd_worker = {
    .name = "worker",
    .usage = "",
    .summary = "connects model servers to a coordinator; on SIGTERM it "
               "finishes what it has begun",
    .about = "Each server becomes a separate worker (NAME-1, NAME-2).",
    .example = "promptcc worker --coordinator tcp://127.0.0.1:5570 "
               "--ollama http://localhost:11434,slots=4",
    .options = OPTIONS_THERE | OPTION_BIT(OPT_OLLAMA) | OPTION_BIT(OPT_OPENAI) |
               OPTION_BIT(OPT_LLAMA) | OPTION_BIT(OPT_LLAMA_SERVER) |
               OPTION_BIT(OPT_DISCOVER) | OPTION_BIT(OPT_HTTP) |
               OPTION_BIT(OPT_NAME) | OPTION_BIT(OPT_IDLE) |
               OPTION_BIT(OPT_KEEP_ALIVE) | OPTION_BIT(OPT_HOURS) |
               OPTION_BIT(OPT_YIELD) | OPTION_BIT(OPT_RESTART_CMD) |
               OPTION_BIT(OPT_QUIET),
    .max_operands = 0,
    .option_help =
        (const struct option_help[]){
            {OPT_HTTP,
             "answer probes there: /healthz and /readyz; port 0 picks a free "
             "one and prints it",
             NULL},
            {OPT_QUIET, "log errors only", NULL},
            {OPT_KEYS,
             "the worker's key, or the folder with it; everything is then "
             "encrypted",
             NULL},
            {0}},
    .run = run,
};
