// servers: the model servers of the command line: --ollama, --openai, or for
// --simulate the stand-in in this process.

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

// How --ollama and --openai are described in a command that asks one server:
// rows of its `option_help` (servers_open_one).
#define SERVERS_HELP_OF_ONE                                                    \
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
    const char *digests[SERVERS_MAX];        // of a server that we start; else
                                             // NULL
    struct llama_server *llama[SERVERS_MAX]; // owned
    size_t n_llama;
    struct sim_server *sim; // owned; NULL without --simulate
};

// Opens the servers. With `simulate`, starts the stand-in, which serves
// `models`. There is at least one address. ERR_INPUT: a bad address, or the
// stand-in together with another server.
bool servers_open(struct servers *out, const struct options *options,
                  bool simulate, const char *const *models, size_t n_models,
                  struct err *err);
// Like servers_open, for a command that asks only one server. ERR_INPUT if
// several are named, since the user would expect them to share the work.
bool servers_open_one(struct servers *out, const struct options *options,
                      const char *const *models, size_t n_models,
                      struct err *err);
// Restarts the servers that are ours and have ended. Call it a few times a
// second.
void servers_tend(struct servers *servers, int64_t now_ms);
void servers_close(struct servers *servers);

#endif
