// The stand-in model server as a program: options, start, wait for a signal.

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulated/sim_server.h"

enum { MODELS_MAX = 64, EXIT_USAGE = 2 };

static const char USAGE[] =
    "usage: simulated_ollama [OPTION VALUE]...\n"
    "\n"
    "A stand-in for an Ollama server on 127.0.0.1. It answers out of what a\n"
    "prompt holds; its scores say nothing about any real model.\n"
    "\n"
    "  --port N                    0 (the default) picks one and prints it\n"
    "  --slots N                   answers at the same time (1)\n"
    "  --latency-ms N              added to each answer (0)\n"
    "  --prompt-tokens-per-s R     speed of reading; 0 is at once (0)\n"
    "  --generated-tokens-per-s R  speed of writing; 0 is at once (0)\n"
    "  --num-ctx N                 for requests that send none (4096)\n"
    "  --num-ctx-max N             context of the models (32768)\n"
    "  --swap-ms N                 time to load a model (0)\n"
    "  --models-loaded N           at the same time (1)\n"
    "  --queue N                   most that wait while a model loads (512)\n"
    "  --model NAME                only such models are known; repeatable\n"
    "                              (any name without \"missing\" in it)\n"
    "  --fault-rate R              share of chats that go wrong (0)\n"
    "  --fault-kinds LIST          500,503,hang,cut,half,garbage,whitespace,\n"
    "                              empty,slow (500,503,cut,garbage)\n"
    "  --seed N                    of the faults (0)\n"
    "  --log FILE                  one JSON line a request\n"
    "\n"
    "example: simulated_ollama --port 11500 --slots 4 --fault-rate 0.2\n";

enum option_id {
    OPT_PORT = 1,
    OPT_SLOTS,
    OPT_LATENCY,
    OPT_PROMPT_RATE,
    OPT_GENERATE_RATE,
    OPT_NUM_CTX,
    OPT_NUM_CTX_MAX,
    OPT_SWAP,
    OPT_LOADED,
    OPT_QUEUE,
    OPT_MODEL,
    OPT_FAULT_RATE,
    OPT_FAULT_KINDS,
    OPT_SEED,
    OPT_LOG,
    OPT_HELP,
};

static const struct option LONG_OPTIONS[] = {
    {"port", required_argument, NULL, OPT_PORT},
    {"slots", required_argument, NULL, OPT_SLOTS},
    {"latency-ms", required_argument, NULL, OPT_LATENCY},
    {"prompt-tokens-per-s", required_argument, NULL, OPT_PROMPT_RATE},
    {"generated-tokens-per-s", required_argument, NULL, OPT_GENERATE_RATE},
    {"num-ctx", required_argument, NULL, OPT_NUM_CTX},
    {"num-ctx-max", required_argument, NULL, OPT_NUM_CTX_MAX},
    {"context", required_argument, NULL, OPT_NUM_CTX_MAX},
    {"swap-ms", required_argument, NULL, OPT_SWAP},
    {"models-loaded", required_argument, NULL, OPT_LOADED},
    {"queue", required_argument, NULL, OPT_QUEUE},
    {"model", required_argument, NULL, OPT_MODEL},
    {"fault-rate", required_argument, NULL, OPT_FAULT_RATE},
    {"fault-kinds", required_argument, NULL, OPT_FAULT_KINDS},
    {"seed", required_argument, NULL, OPT_SEED},
    {"log", required_argument, NULL, OPT_LOG},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static bool read_number(const char *text, double max, double *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtod(text, &end);
    return errno == 0 && end != text && *end == '\0' && isfinite(*out) &&
           *out >= 0 && *out <= max;
}

// False when the value is no number in range, or there are too many models.
static bool take_option(struct sim_options *options, const char **models,
                        int id, const char *text)
{
    double n = 0;
    bool is_text = id == OPT_MODEL || id == OPT_FAULT_KINDS || id == OPT_LOG;
    if (!is_text && !read_number(text, id == OPT_PORT ? 65535 : 1e9, &n))
        return false;
    switch (id) {
    case OPT_PORT:
        options->port = (uint16_t)n;
        break;
    case OPT_SLOTS:
        options->slots = (size_t)n;
        return n >= 1 && n <= 4096;
    case OPT_LATENCY:
        options->latency_ms = (int64_t)n;
        break;
    case OPT_PROMPT_RATE:
        options->prompt_tokens_per_s = n;
        break;
    case OPT_GENERATE_RATE:
        options->generate_tokens_per_s = n;
        break;
    case OPT_NUM_CTX:
        options->num_ctx = (int64_t)n;
        break;
    case OPT_NUM_CTX_MAX:
        options->num_ctx_max = (int64_t)n;
        break;
    case OPT_SWAP:
        options->swap_ms = (int64_t)n;
        break;
    case OPT_LOADED:
        options->models_loaded = (size_t)n;
        break;
    case OPT_QUEUE:
        options->queue = (size_t)n;
        break;
    case OPT_MODEL:
        if (options->n_models == MODELS_MAX)
            return false;
        models[options->n_models++] = text;
        options->only_models = true;
        break;
    case OPT_FAULT_RATE:
        options->fault_rate = n;
        break;
    case OPT_FAULT_KINDS:
        options->fault_kinds = text;
        break;
    case OPT_SEED:
        options->seed = (uint64_t)n;
        break;
    case OPT_LOG:
        options->log_path = text;
        break;
    }
    return true;
}

static int serve(const struct sim_options *options, const sigset_t *signals)
{
    struct err err = ERR_CLEAR;
    int received = 0;
    struct sim_server *server = sim_server_start(options, &err);
    if (server == NULL) {
        fprintf(stderr, "simulated_ollama: %s\n", err.text);
        return err.code == ERR_INPUT ? EXIT_USAGE : EXIT_FAILURE;
    }
    printf("listening on http://127.0.0.1:%u\n", sim_server_port(server));
    fflush(stdout);
    sigwait(signals, &received);
    sim_server_stop(server);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *models[MODELS_MAX] = {NULL};
    struct sim_options options = {.models = models};
    int id = 0;
    int at = 0;
    while ((id = getopt_long(argc, argv, "h", LONG_OPTIONS, &at)) != -1) {
        if (id == OPT_HELP || id == 'h') {
            fputs(USAGE, stdout);
            return EXIT_SUCCESS;
        }
        if (id == '?')
            return EXIT_USAGE;
        if (!take_option(&options, models, id, optarg)) {
            fprintf(stderr, "simulated_ollama: --%s cannot be \"%s\"\n",
                    LONG_OPTIONS[at].name, optarg);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fputs(USAGE, stderr);
        return EXIT_USAGE;
    }
    // Blocked here, so in all threads too; only sigwait takes them.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    return serve(&options, &signals);
}
