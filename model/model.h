// model: one model server, asked over HTTP, many calls at once.
//
// A client owns a libcurl multi handle with kept-alive connections to one
// server. The kinds of servers are rows (backend.h): `ollama` with its own
// /api/chat, `openai` with the /v1/chat/completions of vLLM, LM Studio and
// others, and `llama`, which is llama.cpp's server and says more of itself.
// Single-threaded: one owner, who calls model_poll.
//
// Every reply becomes an answer or a fault (common/call.h); the table that
// says which is in docs/protocol.md, and nothing of a server's text decides it
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

// "http://host:port[,slots=N]" as the options --ollama and --openai take it.
struct model_address {
    char backend[16];    // "ollama", "openai" or "llama"
    char url[512];       // without a trailing slash
    int slots;           // 1..1024; default 1
    bool slots_given;    // else what the server says of itself counts
    char keep_alive[16]; // how long Ollama keeps a model loaded after a call:
                         // "30m" (the default), "0" unloads at once, "-1" never
};

// Fails with ERR_INPUT on a malformed address.
bool model_address_parse(const char *backend, const char *text,
                         struct model_address *out, struct err *err);

// Whether both are one server, as far as addresses tell: localhost and
// 127.0.0.1 are one machine.
bool model_address_same(const struct model_address *one,
                        const struct model_address *other);

// Takes "30m", "90s", "0" or "-1", as Ollama does; ERR_INPUT otherwise.
bool model_keep_alive(struct model_address *address, const char *text,
                      struct err *err);

struct model_info {
    char name[200];
    char digest[72]; // "" where the server has none
    char quantization[40];
    int64_t context; // 0 where unknown
};

struct model_server {
    char version[80];
    bool simulated;
    int slots;       // calls that it works on at once; 0: it does not say
    int64_t context; // tokens that each of them has; 0: the same
    struct model_info *models; // owned, n_models
    size_t n_models;
};

// The names of all backends, from 0; NULL behind the last.
const char *model_backend_name(size_t i);

void model_server_release(struct model_server *server);

// What the server says of the model of that name; NULL: it lists none.
// Borrowed.
const struct model_info *model_server_find(const struct model_server *server,
                                           const char *name);

struct model_client *model_client_new(const struct model_address *address,
                                      struct err *err);
void model_client_free(struct model_client *client); // cancels what is open

// Asks version and models; blocks for at most timeout_ms. ERR_IO when no server
// answers, ERR_PROTOCOL when it is no such server.
bool model_probe(struct model_client *client, int64_t timeout_ms,
                 struct model_server *out, struct err *err);

// What came of a call: an answer when fault is FAULT_NONE (text is moved to
// the receiver, who releases it), else the fault and a sentence.
struct model_done {
    int64_t id;
    enum call_fault fault;
    struct call_answer answer;
    char text[240];
    int64_t retry_ms; // FAULT_BUSY: what the server asks to wait; 0: nothing
};

// Begins a call. The request's texts are copied. timeout_ms is the hard limit
// from here to the last byte. False without memory.
bool model_begin(struct model_client *client, int64_t id,
                 const struct call_request *request, int64_t timeout_ms,
                 struct err *err);

// Drops a call: the connection closes, which stops the server's work. No done
// comes of it. Unknown ids are ignored.
void model_cancel(struct model_client *client, int64_t id);

size_t model_open(const struct model_client *client); // calls under way

// Waits up to timeout_ms for progress, or until extra_fd (-1: none) is
// readable.
bool model_poll(struct model_client *client, int extra_fd, int64_t timeout_ms,
                struct err *err);

// Ends a model_poll that waits, now or the next one. The one function here
// that any thread may call.
void model_wake(struct model_client *client);

// Takes a finished call; false when there is none.
bool model_take_done(struct model_client *client, struct model_done *out);

#endif
