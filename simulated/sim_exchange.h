// sim_exchange: one request to the stand-in and its reply, without the HTTP.
//
// The server reads the request and later sends the reply that it finds here. It
// also passes in two functions, one that pauses and one that checks whether the
// client is still connected.

#ifndef SIMULATED_SIM_EXCHANGE_H
#define SIMULATED_SIM_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/hash.h"

#include "simulated/sim_faults.h"
#include "simulated/sim_model.h"
#include "simulated/sim_request.h"
#include "simulated/sim_server.h"
#include "simulated/sim_slots.h"
#include "simulated/sim_stats.h"

#define SIM_JSON_TYPE "application/json; charset=utf-8"

enum { SIM_REPLY_BODY_MAX = 4 << 20 };

// What all routes share; set up and owned by the server.
struct sim_service {
    struct sim_options options; // with defaults filled in; its pointers are no
                                // longer valid
    char **models;              // owned
    size_t n_models;
    struct sim_model *model;
    struct sim_slots *slots;
    struct sim_tally *tally;
    struct sim_faults faults;
};

enum sim_ending {
    SIM_SEND, // the whole reply
    SIM_HALF, // half of it, then the connection closes
    SIM_DROP, // nothing: the connection closes
};

struct sim_exchange {
    const char *method; // borrowed, like path and body
    const char *path;
    const char *body;
    size_t body_len;
    // Sleeps. Returns false if the client left or the server stops.
    bool (*pause)(void *data, int64_t us);
    sim_gone gone;
    void *data; // for both functions

    unsigned status;
    const char *type; // a constant
    struct buf reply;
    enum sim_ending ending;
    struct sim_record record;
    struct hash hash; // record.body points here
    char model[SIM_MODEL_NAME_MAX];
};

// Turns the reply into an error, in the form of that API.
void sim_fail(struct sim_exchange *exchange, enum sim_api api, unsigned status,
              const char *text);

// Append a text as JSON, or the time of day.
void sim_put_text(struct buf *out, const char *text);
void sim_put_now(struct buf *out);

#endif
