// sim_slots: who may answer now, and what a slot still knows of its prompt.
//
// A slot answers one request at a time and remembers the text of its last
// prompt. A request gets the free slot that shares the longest beginning with
// it; only the rest has to be read again. Requests wait in the order they
// came. At most so many models are loaded; loading one takes its time, and
// while it does, all wait. A model asked for with another num_ctx is loaded
// anew, and its slots forget.
//
//      request -> waiting -> (load) -> slot busy -> slot free
//                    |          |
//                    +----------+--> gone (client left, or server stops)
//
// Thread-safe.

#ifndef SIMULATED_SIM_SLOTS_H
#define SIMULATED_SIM_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

enum { SIM_PROMPT_MAX_BYTES = 4 << 20, SIM_MODEL_NAME_MAX = 128 };

enum sim_grant {
    SIM_GRANTED,
    SIM_GONE, // the client left or the server stops
    SIM_FULL, // too many wait while a model loads
};

struct sim_slots_options {
    size_t slots;
    size_t models_loaded;
    size_t queue;
    int64_t swap_ms;
};

struct sim_lease {
    size_t slot;
    size_t shared_bytes; // of the prompt that the slot knows
    int64_t load_us;     // spent on loading the model, 0 when it was there
};

// Called now and then while a request waits; true when it should give up.
// `data` is the request's.
typedef bool (*sim_gone)(void *data);

struct sim_loaded {
    char model[SIM_MODEL_NAME_MAX];
    int64_t num_ctx;
};

struct sim_slots;

struct sim_slots *sim_slots_new(const struct sim_slots_options *options);
void sim_slots_free(struct sim_slots *slots); // nobody may be inside

// What a request waits for. All borrowed.
struct sim_wish {
    const char *model;
    int64_t num_ctx;
    const struct buf *prompt; // compared with what the slots know
    sim_gone gone;
    void *data; // for gone
};

// Waits for a slot with the model loaded; the slot will remember the prompt.
enum sim_grant sim_slots_take(struct sim_slots *slots,
                              const struct sim_wish *wish,
                              struct sim_lease *lease);
void sim_slots_give(struct sim_slots *slots, const struct sim_lease *lease);

// Forgets that a model is loaded.
void sim_slots_unload(struct sim_slots *slots, const char *model);

// Copies at most max loaded models; returns how many.
size_t sim_slots_loaded(struct sim_slots *slots, struct sim_loaded *list,
                        size_t max);

// Sends all that wait away; takes fail from now on.
void sim_slots_stop(struct sim_slots *slots);

#endif
