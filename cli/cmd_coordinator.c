#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "cli/answer_query.h"
#include "cli/command.h"
#include "cli/dashboard.h"
#include "cli/option_about.h"
#include "cli/output.h"
#include "common/log.h"
#include "common/loopback.h"
#include "common/signals.h"
#include "coordinator/coordinator.h"
#include "wire/socket.h"

enum { LOOK_MS = 500 };

// Returns true for a loopback address such as "tcp://127.0.0.1:5570".
static bool is_loopback(const char *endpoint)
{
    static const char tcp[] = "tcp://";
    const char *host = endpoint + sizeof tcp - 1;

    if (strncmp(endpoint, tcp, sizeof tcp - 1) != 0)
        return false;
    const char *port = strrchr(host, ':');
    return port != NULL && loopback_host(host, (size_t)(port - host));
}

static bool check_listen(const struct options *options, const char *endpoint,
                         struct err *err)
{
    if (is_loopback(endpoint) || option_on(options, OPT_KEYS) ||
        option_on(options, OPT_TRUST_NETWORK))
        return true;
    err_set(err, ERR_INPUT,
            "anyone who can reach %.60s could use this coordinator: give it "
            "keys (`promptcc keys worker` and `promptcc keys client` make "
            "them, --keys DIR uses them), or listen on 127.0.0.1",
            endpoint);
    return false;
}

// Waits for a signal, or until the coordinator ends on its own.
static void serve(struct coordinator *coordinator,
                  const struct dashboard *dashboard)
{
    struct pollfd item = {.fd = signals_fd(), .events = POLLIN};

    printf("listening on %s\n", coordinator_endpoint(coordinator));
    if (dashboard != NULL)
        printf("dashboard at %s\n", dashboard_url(dashboard));
    (void)fflush(stdout);
    while (!signals_came() && !coordinator_ended(coordinator))
        (void)poll(&item, 1, LOOK_MS);
}

static int start(const struct options *options,
                 const struct coordinator_options *with, struct err *err)
{
    void *zmq = NULL;
    struct coordinator *coordinator = NULL;
    struct dashboard *dashboard = NULL;

    if (signals_open(err))
        zmq = wire_context(err);
    if (zmq != NULL)
        coordinator = coordinator_start(zmq, with, err);
    if (coordinator != NULL && dashboard_start(&dashboard, options, zmq,
                                               coordinator, with->store, err)) {
        signals_serve();
        signals_accept();
        serve(coordinator, dashboard);
    }
    dashboard_stop(dashboard);
    coordinator_stop(coordinator);
    if (zmq != NULL)
        zmq_ctx_term(zmq);
    signals_close();
    return err->code == ERR_NONE ? EXIT_DONE : output_error(options, err);
}

static int run(const struct options *options)
{
    struct coordinator_options with = COORDINATOR_DEFAULTS;
    struct err err = ERR_CLEAR;

    with.listen = option_text(options, OPT_LISTEN);
    with.keys = option_text(options, OPT_KEYS);
    with.store = option_text(options, OPT_STORE);
    if (with.store == NULL)
        with.store = "promptcc.db";
    with.wait_start_ms = option_number(options, OPT_WAIT, with.wait_start_ms);
    with.wait_after_ms = option_number(options, OPT_WAIT, with.wait_after_ms);
    with.call_timeout_ms =
        option_number(options, OPT_CALL_TIMEOUT, with.call_timeout_ms);
    with.program = answer_query_program();
    with.proofs = true;
    with.allow_exec = option_on(options, OPT_ALLOW_EXEC);
    if (!check_listen(options, with.listen, &err))
        return output_error(options, &err);
    // Whoever runs a coordinator wants to see workers come and go.
    log_set_level(option_on(options, OPT_QUIET) ? LOG_ERROR : LOG_INFO);
    return start(options, &with, &err);
}

const struct command_entry cmd_coordinator = {
    .name = "coordinator",
    .usage = "",
    .summary = "takes jobs and gives their calls to workers; SIGTERM ends it",
    .about = "When it starts, it continues every job that was running.",
    .example = "promptcc coordinator --listen tcp://127.0.0.1:5570 "
               "--store promptcc.db",
    .options = OPTION_BIT(OPT_LISTEN) | OPTION_BIT(OPT_KEYS) |
               OPTION_BIT(OPT_TRUST_NETWORK) | OPTION_BIT(OPT_STORE) |
               OPTIONS_WAIT | OPTION_BIT(OPT_ALLOW_EXEC) | OPTIONS_HTTP |
               OPTION_BIT(OPT_QUIET),
    .max_operands = 0,
    .option_help =
        (const struct option_help[]){
            {OPT_STORE,
             "the file with the history and every answer that was paid for",
             "promptcc.db in the current folder"},
            {OPT_KEYS,
             "the folder of keys that `promptcc keys` made; everything is then "
             "encrypted",
             NULL},
            {OPT_QUIET, "log errors only", NULL},
            {0}},
    .run = run,
};
