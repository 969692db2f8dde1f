#include <poll.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/option_about.h"
#include "cli/output.h"
#include "cli/servers.h"
#include "common/clock.h"
#include "common/signals.h"
#include "predict/compiled_file.h"
#include "serve/serve.h"

enum {
    LOOK_MS = 50,
    GRACE_MS = 120000, // for requests in progress when it is told to stop
};

static const char default_place[] = "127.0.0.1:8071";

// Listening beyond this machine requires a token, because anyone there could
// use the model.
static bool read_address(const struct options *options,
                         struct http_address *out, struct err *err)
{
    const char *place = option_text(options, OPT_HTTP);

    if (!http_address_read(place == NULL ? default_place : place, out, err))
        return false;
    if (out->loopback || option_on(options, OPT_HTTP_TOKEN))
        return true;
    err_set(err, ERR_INPUT,
            "--http %.80s would let anyone in the network use the model: add "
            "--http-token FILE (it is made if it does not exist), or listen on "
            "127.0.0.1",
            place);
    return false;
}

static void tell_start(const struct serve *serve, const char *path)
{
    if (serve_warning(serve)[0] != '\0')
        output_say("warning: %s: %s\n", path, serve_warning(serve));
    if (serve_simulated(serve))
        output_say("simulated: a stand-in answers, not a model\n");
    printf("listening on http://%s\n", serve_place(serve));
    (void)fflush(stdout);
}

// Waits for the first signal. A second one ends the process at once.
static void wait_for_signal(void)
{
    struct pollfd item = {.fd = signals_fd(), .events = POLLIN};

    while (!signals_came())
        (void)poll(&item, 1, -1);
}

// Answers every request that was accepted before the end.
static int drain(struct serve *serve)
{
    int64_t end = clock_monotonic_ms() + GRACE_MS;

    serve_drain(serve);
    while (!serve_is_idle(serve) && clock_monotonic_ms() < end)
        (void)poll(NULL, 0, LOOK_MS);
    if (serve_is_idle(serve))
        return EXIT_DONE;
    output_say("promptcc: some requests were not answered within %d s and are "
               "dropped\n",
               GRACE_MS / 1000);
    return EXIT_FAILED;
}

static int serve(const struct options *options,
                 const struct serve_options *with, struct err *err)
{
    struct serve *server = NULL;
    int status;

    if (signals_open(err))
        server = serve_start(with, err);
    if (server == NULL) {
        status = output_error(options, err);
    } else {
        signals_serve();
        signals_accept();
        tell_start(server, options->operands[0]);
        wait_for_signal();
        status = drain(server);
    }
    serve_stop(server);
    signals_close();
    return status;
}

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    struct compiled *compiled = compiled_file_read(options->operands[0], &err);
    struct servers servers = {0};
    struct serve_options with = {
        .compiled = compiled,
        .token_file = option_text(options, OPT_HTTP_TOKEN),
        .allow_exec = option_on(options, OPT_ALLOW_EXEC),
        .timeout_ms = option_number(options, OPT_CALL_TIMEOUT, 0)};
    const char *models[2] = {"", ""};
    size_t n = compiled == NULL ? 0 : compiled_models(compiled, models);
    int status;

    if (compiled == NULL || !read_address(options, &with.address, &err) ||
        !servers_open_one(&servers, options, models, n, &err)) {
        status = output_error(options, &err);
    } else {
        with.model = servers.addresses[0];
        with.slots = (int)option_number(options, OPT_SLOTS, with.model.slots);
        status = serve(options, &with, &err);
    }
    servers_close(&servers);
    compiled_free(compiled);
    return status;
}

const struct command_entry cmd_serve = {
    .name = "serve",
    .usage = "COMPILED",
    .summary = "serves a compiled program over HTTP",
    .about = "It answers `POST /predict`, and has `/openapi.json`, probes "
             "and metrics (docs/serve.md). On SIGTERM it answers what it "
             "has accepted, and ends.",
    .example = "promptcc serve compiled.json --http 127.0.0.1:8071",
    .options = OPTIONS_SERVERS | OPTIONS_HTTP | OPTION_BIT(OPT_SLOTS) |
               OPTION_BIT(OPT_CALL_TIMEOUT) | OPTION_BIT(OPT_ALLOW_EXEC),
    .min_operands = 1,
    .max_operands = 1,
    .option_help =
        (const struct option_help[]){
            SERVERS_HELP_OF_ONE,
            {OPT_HTTP, "where to listen; port 0 picks a free one and prints it",
             "127.0.0.1:8071"},
            {OPT_HTTP_TOKEN,
             "ask for the token in this file, which is made if it does not "
             "exist; needed to listen beyond this machine",
             NULL},
            {OPT_ALLOW_EXEC,
             "run the programs that the compiled file names in exec steps",
             NULL},
            {0}},
    .run = run,
};
