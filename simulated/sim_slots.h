// sim_slots: which requests may be answered now, and which prompt each slot
// remembers.
//
// A slot answers one request at a time and remembers the text of its last
// prompt. A request gets the free slot that shares the longest prefix with it,
// so that only the rest must be read again. Requests wait in order of arrival.
// Only a limited number of models are loaded at once; while one is being
// loaded, everyone waits. A model that is requested with a different num_ctx is
// loaded anew, and its slots forget their prompts.
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
    size_t shared_bytes; // length of the prefix that the slot already knows
    int64_t load_us;     // spent on loading the model, 0 if it was loaded
};

// Called now and then while a request waits; returns true if the request should
// give up. `data` is the request's.
typedef bool (*sim_gone)(void *data);

struct sim_loaded {
    char model[SIM_MODEL_NAME_MAX];
    int64_t num_ctx;
};

struct sim_slots;

struct sim_slots *sim_slots_new(const struct sim_slots_options *options);
// No other call may be in progress.
void sim_slots_free(struct sim_slots *slots);

// What a request waits for. Everything is borrowed.
struct sim_wish {
    const char *model;
    int64_t num_ctx;
    const struct buf *prompt; // compared with what the slots remember
    sim_gone gone;
    void *data; // for gone
};

// Waits for a slot with the model loaded. The slot will remember the prompt.
enum sim_grant sim_slots_take(struct sim_slots *slots,
                              const struct sim_wish *wish,
                              struct sim_lease *lease);
void sim_slots_give(struct sim_slots *slots, const struct sim_lease *lease);

// Marks a model as no longer loaded.
void sim_slots_unload(struct sim_slots *slots, const char *model);

// Copies at most `max` loaded models; returns how many.
size_t sim_slots_loaded(struct sim_slots *slots, struct sim_loaded *list,
                        size_t max);

// Turns all waiting requests away; sim_slots_take fails from now on.
void sim_slots_stop(struct sim_slots *slots);

#endif
