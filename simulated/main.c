// The stand-in model server as a program: reads options, starts, waits for a
// signal.

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulated/sim_server.h"

enum { MODELS_MAX = 64, EXIT_USAGE = 2 };

static const char USAGE[] =
    "usage: simulated_ollama [OPTION VALUE]...\n"
    "\n"
    "A stand-in for an Ollama server on 127.0.0.1. It answers from what a\n"
    "prompt contains; its scores say nothing about any real model.\n"
    "\n"
    "  --port N                    0 (the default) picks one and prints it\n"
    "  --slots N                   answers at the same time (1)\n"
    "  --latency-ms N              added to each answer (0)\n"
    "  --prompt-tokens-per-s R     reading speed; 0 is instant (0)\n"
    "  --generated-tokens-per-s R  writing speed; 0 is instant (0)\n"
    "  --num-ctx N                 for requests that send none (4096)\n"
    "  --num-ctx-max N             context of the models (32768)\n"
    "  --swap-ms N                 time to load a model (0)\n"
    "  --models-loaded N           models loaded at the same time (1)\n"
    "  --queue N                   most requests that wait while a model\n"
    "                              loads (512)\n"
    "  --model NAME                only these models are known; repeatable\n"
    "                              (any name without \"missing\" in it)\n"
    "  --fault-rate R              share of chats that go wrong (0)\n"
    "  --fault-kinds LIST          separated by commas (500,503,cut,garbage):\n"
    "                             "
#define SIM_FAULT(fault, name) " " name
#include "simulated/sim_faults.def"
#undef SIM_FAULT
    "\n"
    "  --seed N                    seed of the faults (0)\n"
    "  --log FILE                  one JSON line per request\n"
    "\n"
    "example: simulated_ollama --port 11500 --slots 4 --fault-rate 0.2\n";

enum option_kind {
    OF_PORT,
    OF_SIZE,
    OF_INT,
    OF_RATE,
    OF_SEED,
    OF_TEXT,
    OF_MODEL
};

#define TO(member) offsetof(struct sim_options, member)

static const struct {
    const char *name;
    enum option_kind kind;
    size_t offset; // of the member to fill in struct sim_options
    double least, most;
} OPTIONS[] = {
    {"port", OF_PORT, TO(port), 0, UINT16_MAX},
    {"slots", OF_SIZE, TO(slots), 1, 4096},
    {"latency-ms", OF_INT, TO(latency_ms), 0, 1e9},
    {"prompt-tokens-per-s", OF_RATE, TO(prompt_tokens_per_s), 0, 1e9},
    {"generated-tokens-per-s", OF_RATE, TO(generate_tokens_per_s), 0, 1e9},
    {"num-ctx", OF_INT, TO(num_ctx), 0, 1e9},
    {"num-ctx-max", OF_INT, TO(num_ctx_max), 0, 1e9},
    {"context", OF_INT, TO(num_ctx_max), 0, 1e9},
    {"swap-ms", OF_INT, TO(swap_ms), 0, 1e9},
    {"models-loaded", OF_SIZE, TO(models_loaded), 0, 1e9},
    {"queue", OF_SIZE, TO(queue), 0, 1e9},
    {"model", OF_MODEL, 0, 0, 0},
    {"fault-rate", OF_RATE, TO(fault_rate), 0, 1e9},
    {"fault-kinds", OF_TEXT, TO(fault_kinds), 0, 0},
    {"seed", OF_SEED, TO(seed), 0, 1e9},
    {"log", OF_TEXT, TO(log_path), 0, 0},
};

enum { N_OPTIONS = sizeof OPTIONS / sizeof *OPTIONS };

static bool read_number(const char *text, double least, double most,
                        double *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtod(text, &end);
    return errno == 0 && end != text && *end == '\0' && isfinite(*out) &&
           *out >= least && *out <= most;
}

static bool take_model(struct sim_options *options, const char **models,
                       const char *name)
{
    if (options->n_models == MODELS_MAX)
        return false;
    models[options->n_models++] = name;
    options->only_models = true;
    return true;
}

// Returns false if the value is not a number in range, or if there are too many
// models.
static bool take_option(struct sim_options *options, const char **models,
                        int id, const char *text)
{
    enum option_kind kind = OPTIONS[id].kind;
    void *place = (char *)options + OPTIONS[id].offset;
    double n = 0;
    if (kind == OF_MODEL)
        return take_model(options, models, text);
    if (kind == OF_TEXT) {
        *(const char **)place = text;
        return true;
    }
    if (!read_number(text, OPTIONS[id].least, OPTIONS[id].most, &n))
        return false;
    if (kind == OF_PORT)
        *(uint16_t *)place = (uint16_t)n;
    else if (kind == OF_SIZE)
        *(size_t *)place = (size_t)n;
    else if (kind == OF_INT)
        *(int64_t *)place = (int64_t)n;
    else if (kind == OF_SEED)
        *(uint64_t *)place = (uint64_t)n;
    else
        *(double *)place = n;
    return true;
}

// For getopt: each option returns its index in the table.
static void list_options(struct option *out)
{
    for (int i = 0; i < N_OPTIONS; i++)
        out[i] = (struct option){OPTIONS[i].name, required_argument, NULL, i};
    out[N_OPTIONS] = (struct option){"help", no_argument, NULL, 'h'};
    out[N_OPTIONS + 1] = (struct option){0};
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
    struct option known[N_OPTIONS + 2];
    int id = 0;
    list_options(known);
    while ((id = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (id == 'h') {
            fputs(USAGE, stdout);
            return EXIT_SUCCESS;
        }
        if (id == '?')
            return EXIT_USAGE;
        if (!take_option(&options, models, id, optarg)) {
            fprintf(stderr, "simulated_ollama: --%s cannot be \"%s\"\n",
                    OPTIONS[id].name, optarg);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fputs(USAGE, stderr);
        return EXIT_USAGE;
    }
    // Blocked here, and therefore in all threads; only sigwait receives them.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    return serve(&options, &signals);
}
