// servers: the model servers of the command line: --ollama, --openai, or the
// stand-in in this process for --simulate.

#ifndef CLI_SERVERS_H
#define CLI_SERVERS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"
#include "common/err.h"
#include "model/model.h"
#include "worker/llama_server.h"

struct sim_server;

enum { SERVERS_MAX = 64 };
#define SERVERS_DEFAULT_OLLAMA "http://localhost:11434"

// What --ollama and --openai are in a command that asks one server: rows of its
// `told` (servers_open_one).
#define SERVERS_TOLD_OF_ONE                                                    \
    {OPT_OLLAMA,                                                               \
     "the Ollama server, and how many calls it works on at once (1)",          \
     SERVERS_DEFAULT_OLLAMA},                                                  \
    {                                                                          \
        OPT_OPENAI,                                                            \
            "the OpenAI-compatible server (llama.cpp, vLLM, LM Studio), "      \
            "instead",                                                         \
            NULL                                                               \
    }

struct servers {
    struct model_address addresses[SERVERS_MAX];
    size_t n;
    const char *digests[SERVERS_MAX];        // of one that we start; else NULL
    struct llama_server *llama[SERVERS_MAX]; // owned
    size_t n_llama;
    struct sim_server *sim; // owned; NULL without --simulate
};

// simulate: start the stand-in, which serves models. There is at
// least one address. ERR_INPUT: a bad address, or the stand-in together with
// another one.
bool servers_open(struct servers *out, const struct options *options,
                  bool simulate, const char *const *models, size_t n_models,
                  struct err *err);
// The same for a command that asks one server alone: ERR_INPUT where several
// are named, which would otherwise be thought to share the work.
bool servers_open_one(struct servers *out, const struct options *options,
                      const char *const *models, size_t n_models,
                      struct err *err);
// Starts those again that are ours and have ended. Some times a second.
void servers_tend(struct servers *servers, int64_t now_ms);
void servers_close(struct servers *servers);

#endif
