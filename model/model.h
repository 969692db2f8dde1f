// model: asks one model server over HTTP, with many calls at once.
//
// A client owns a libcurl multi handle with keep-alive connections to one
// server. The kinds of servers are rows (backend.h): `ollama` with its own
// /api/chat, `openai` with the /v1/chat/completions of vLLM, LM Studio and
// others, and `llama`, which is llama.cpp's server and reports more about
// itself. Single-threaded: one owner calls model_poll.
//
// Every reply becomes an answer or a fault (common/call.h). The table in
// docs/protocol.md says which. Nothing in a server's text influences that
// except the error types named there.

#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "common/err.h"

struct model_client;

enum { MODEL_MAX_REPLY = 8 << 20 }; // bytes of one HTTP reply

// "http://host:port[,slots=N]", as the options --ollama and --openai take it.
struct model_address {
    char backend[16];    // "ollama", "openai" or "llama"
    char url[512];       // without a trailing slash
    int slots;           // 1..1024; default 1
    bool slots_given;    // if false, the server's own report counts
    char keep_alive[16]; // how long Ollama keeps a model loaded after a call:
                         // "30m" (the default), "0" unloads at once, "-1" never
};

// Parses an address; ERR_INPUT if it is malformed.
bool model_address_parse(const char *backend, const char *text,
                         struct model_address *out, struct err *err);

// Returns true if both are the same server, as far as addresses tell: localhost
// and 127.0.0.1 are the same machine.
bool model_address_same(const struct model_address *one,
                        const struct model_address *other);

// Accepts "30m", "90s", "0" or "-1", as Ollama does; ERR_INPUT otherwise.
bool model_keep_alive(struct model_address *address, const char *text,
                      struct err *err);

struct model_info {
    char name[200];
    char digest[72]; // "" if the server has none
    char quantization[40];
    int64_t context; // 0 if unknown
};

struct model_server {
    char version[80];
    bool simulated;
    int slots;                 // calls that it handles at once; 0 if unknown
    int64_t context;           // tokens for each of them; 0 if unknown
    struct model_info *models; // owned; n_models of them
    size_t n_models;
};

// Returns the name of backend i, from 0; NULL after the last.
const char *model_backend_name(size_t i);

void model_server_release(struct model_server *server);

// Returns what the server says about the model of that name; NULL if it does
// not list it. Borrowed.
const struct model_info *model_server_find(const struct model_server *server,
                                           const char *name);

struct model_client *model_client_new(const struct model_address *address,
                                      struct err *err);
void model_client_free(struct model_client *client); // cancels open calls

// Asks the server for its version and models; blocks for at most timeout_ms.
// ERR_IO if no server answers, ERR_PROTOCOL if it is not a server of this kind.
bool model_probe(struct model_client *client, int64_t timeout_ms,
                 struct model_server *out, struct err *err);

// How a call ended: with an answer if fault is FAULT_NONE (its text belongs to
// the receiver, who releases it), else with a fault and a sentence about it.
struct model_done {
    int64_t id;
    enum call_fault fault;
    struct call_answer answer;
    char text[240];
    int64_t retry_ms; // FAULT_BUSY: how long to wait; 0: the server did not say
};

// Begins a call. The request's texts are copied. timeout_ms is the hard limit
// from now to the last byte. Returns false when out of memory.
bool model_begin(struct model_client *client, int64_t id,
                 const struct call_request *request, int64_t timeout_ms,
                 struct err *err);

// Cancels a call: the connection closes, which stops the server's work, and the
// call is never reported as done. Unknown ids are ignored.
void model_cancel(struct model_client *client, int64_t id);

size_t model_open(const struct model_client *client); // calls in progress

// Waits up to timeout_ms for progress, or until extra_fd (-1: none) is
// readable.
bool model_poll(struct model_client *client, int extra_fd, int64_t timeout_ms,
                struct err *err);

// Ends a model_poll that is waiting now, or else the next one. The only
// function here that any thread may call.
void model_wake(struct model_client *client);

// Takes a finished call; returns false if there is none.
bool model_take_done(struct model_client *client, struct model_done *out);

#endif
