// servers: the model servers of the command line: --ollama, --openai, or the
// stand-in in this process for --simulate.

#ifndef CLI_SERVERS_H
#define CLI_SERVERS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"
#include "common/err.h"
#include "model/model.h"

struct sim_server;

enum { SERVERS_MAX = 64 };
#define SERVERS_DEFAULT_OLLAMA "http://localhost:11434"

struct servers {
    struct model_address addresses[SERVERS_MAX];
    size_t n;
    struct sim_server *sim; // owned; NULL without --simulate
};

// simulate: start the stand-in, which serves models. There is at
// least one address. ERR_INPUT: a bad address, or the stand-in together with
// another one.
bool servers_open(struct servers *out, const struct options *options,
                  bool simulate, const char *const *models, size_t n_models,
                  struct err *err);
void servers_close(struct servers *servers);

#endif
