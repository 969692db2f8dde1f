// sim_stats: what was served, and how often the same request was.
//
// Bodies are counted by the hash of their canonical JSON, so that tests can
// check whether a request that already had its answer was sent again. With a
// log file, each request also leaves one complete JSON line, in order of
// completion.
//
// Thread-safe.

#ifndef SIMULATED_SIM_STATS_H
#define SIMULATED_SIM_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/hash.h"

struct sim_stats {
    uint64_t requests;          // of any kind
    uint64_t chats;             // requests for an answer
    uint64_t answered;          // chats that got a whole answer
    uint64_t answered_distinct; // different bodies among them
    uint64_t answered_repeated; // answered although they had been before
    uint64_t cancelled;         // the client left
    uint64_t faults;            // injected
    uint64_t prompt_tokens;     // of answered chats, like everything below
    uint64_t cached_tokens;
    uint64_t generated_tokens;
    uint64_t slot_busy_us;
    uint64_t loads; // models loaded or loaded anew
};

// The outcome of one request.
struct sim_record {
    const char *path;        // borrowed, like everything below
    const char *model;       // or ""
    const char *outcome;     // "answered", "refused", "fault 503", ...
    const struct hash *body; // NULL: no body
    bool chat;
    bool answered;
    bool cancelled;
    bool fault;
    unsigned status; // 0: no answer
    uint64_t prompt_tokens;
    uint64_t cached_tokens;
    uint64_t generated_tokens;
    uint64_t busy_us;
    int64_t num_predict; // as requested; 0: none
};

struct sim_tally;

// log_path may be NULL. Returns NULL on failure.
struct sim_tally *sim_tally_open(const char *log_path, struct err *err);
void sim_tally_close(struct sim_tally *tally); // accepts NULL

// Counts an attempt at a body and returns its number: 0 for the first, 1 for
// the second, and so on. Returns UINT64_MAX if there are too many bodies to
// remember, or when out of memory.
uint64_t sim_tally_attempt(struct sim_tally *tally, const struct hash *body);

void sim_tally_add(struct sim_tally *tally, const struct sim_record *record);
void sim_tally_load(struct sim_tally *tally); // a model was loaded
void sim_tally_read(struct sim_tally *tally, struct sim_stats *stats);

#endif
