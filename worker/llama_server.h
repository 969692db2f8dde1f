// llama_server: runs a llama.cpp server of our own, on machines without Ollama.
//
// `--llama-server MODEL.gguf[,slots=N][,ctx=N][,name=NAME]` starts the program
// `llama-server` from PATH on a free port of this machine, with that many
// slots, a window of ctx tokens for each, and the model under the name that
// jobs ask for (by default the file name without .gguf). When the server ends
// it is started again on the same port, after a pause that grows. It ends with
// us: by SIGTERM when we stop it, and by the kernel when we are killed.
//
// The SHA-256 of the file serves as the digest, since such a server does not
// report one. So two machines with different files under one name are told
// apart. One owner, one thread; nothing here waits for the model to load.

#ifndef WORKER_LLAMA_SERVER_H
#define WORKER_LLAMA_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

enum { LLAMA_SERVER_CTX = 8192, LLAMA_SERVER_SLOTS = 1 };

struct llama_server;

// Parses the text, reads the file for its digest and starts the program.
// ERR_INPUT: a bad word, no such file, or no llama-server in PATH.
struct llama_server *llama_server_start(const char *text, struct err *err);

// "http://127.0.0.1:PORT", and the other things that a worker needs to know.
const char *llama_server_url(const struct llama_server *server);
const char *llama_server_digest(const struct llama_server *server);
int llama_server_slots(const struct llama_server *server);

// Starts the server again if it has ended. Call it a few times a second.
void llama_server_tend(struct llama_server *server, int64_t now_ms);

// Sends SIGTERM, and SIGKILL after some seconds. Accepts NULL.
void llama_server_stop(struct llama_server *server);

#endif
