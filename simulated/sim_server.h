// sim_server: a stand-in for a model server, on loopback.
//
// It speaks Ollama's API (and the OpenAI-compatible one) as a real Ollama does,
// including errors, truncation, slots and the prefix cache, and answers from
// what the prompt contains (sim_model.h). Everything that can say that it is
// simulated says so: the version, the families, the capabilities. Its scores
// say nothing about any real model.
//
// Each connection has a thread; the counters and slots are shared under locks.
// Start and stop the server from one thread; call everything else from any.

#ifndef SIMULATED_SIM_SERVER_H
#define SIMULATED_SIM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#include "simulated/sim_stats.h"

struct sim_server;

struct sim_options {
    uint16_t port;             // 0 picks one
    size_t slots;              // answers at the same time; 0 is 1
    const char *const *models; // borrowed while starting
    size_t n_models;
    bool only_models;             // names that are not in `models` are unknown
    int64_t latency_ms;           // added to each answer
    double prompt_tokens_per_s;   // 0: instantly
    double generate_tokens_per_s; // 0: instantly
    int64_t num_ctx;              // for requests that send none; 0 is 4096
    int64_t num_ctx_max;          // the models' own; 0 is 32768
    int64_t swap_ms;              // to load a model, or to change its num_ctx
    size_t models_loaded;         // at the same time; 0 is 1
    size_t queue;                 // waiting while a model loads; 0 is 512
    double fault_rate;            // share of chat requests, 0 to 1
    const char *fault_kinds;      // "500,503,cut"; NULL: 500,503,cut,garbage
    uint64_t seed;                // of the faults
    const char *log_path;         // one JSON line per request; NULL: none
};

// Starts the server, which is ready when this returns. Returns NULL on failure:
// a port in use or options that make no sense are ERR_INPUT.
struct sim_server *sim_server_start(const struct sim_options *options,
                                    struct err *err);

// Cuts off answers in progress, waits for the server's threads and frees it.
// Accepts NULL.
void sim_server_stop(struct sim_server *server);

uint16_t sim_server_port(const struct sim_server *server);
void sim_server_stats(struct sim_server *server, struct sim_stats *stats);

#endif
