// llama_server: a llama.cpp server of our own, for machines without Ollama.
//
// `--llama-server MODEL.gguf[,slots=N][,ctx=N][,name=NAME]` starts the program
// `llama-server` of PATH on a free port of this machine, with as many slots and
// a window of ctx tokens for each, and the model under a name that jobs ask for
// (the file's, without .gguf). It is started again when it ends, with a pause
// that grows, and ends with us: by SIGTERM when we stop it, and by the kernel
// when we are killed.
//
// The file is known by its SHA-256, which stands for the digest that such a
// server does not name: so two machines with different files under one name are
// told apart. One owner, one thread; nothing here waits for the model to load.

#ifndef WORKER_LLAMA_SERVER_H
#define WORKER_LLAMA_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

enum { LLAMA_SERVER_CTX = 8192, LLAMA_SERVER_SLOTS = 1 };

struct llama_server;

// Parses, reads the file for its digest, starts the program. ERR_INPUT: a bad
// word, no such file, or no llama-server in PATH.
struct llama_server *llama_server_start(const char *text, struct err *err);

// "http://127.0.0.1:PORT", and the rest of what a worker has to know.
const char *llama_server_url(const struct llama_server *server);
const char *llama_server_digest(const struct llama_server *server);
int llama_server_slots(const struct llama_server *server);

// Starts it again if it has ended. Some times a second.
void llama_server_tend(struct llama_server *server, int64_t now_ms);

// SIGTERM, and SIGKILL after some seconds. NULL is fine.
void llama_server_stop(struct llama_server *server);

#endif
