// proof: makes each worker show with real calls, when it joins, what it can do.
//
// A server may name the same digest as its peers and still answer differently:
// it ignores an output format, refuses to think, or runs on another engine. So
// each worker is asked for each model that a job uses, as soon as the two meet:
//
//   TEXT     a fixed prompt at temperature 0, with the job's num_ctx and think.
//            A worker whose server refuses it is refused. Otherwise the text is
//            compared with what most others wrote. A text that differs is shown
//            in the log and in `workers` and has no other effect, since even a
//            single server may answer differently the next time.
//   FORMAT   where the job asks for JSON: a schema with one word that no model
//            would say unprompted. A server that replies anything else ignores
//            `format`, and the worker gets no calls of that model.
//
// A model that embeds is not asked, since it writes no text.
//
// Proofs are asked by CALL like any other call, under ids of their own
// (WIRE_PROOF_ID and up), so a worker of any version answers them. They are
// neither stored nor billed, and dispatch does not know of them: the worker
// takes one call more than its credit.
//
// A fault of the network or the server proves nothing, so the proof is asked
// again. So is a proof without an answer, since its CALL or the answer may be
// lost: after 5 s, and then at growing intervals. A worker that is still
// working on it has the call under that id, and does not take it twice. A
// worker that was refused is asked again every 8 s, because its server may be
// repaired. That costs 24 tokens at most, and its machine is idle meanwhile.
// The latest result counts.
//
// Call only from the loop's thread.

#ifndef COORDINATOR_PROOF_H
#define COORDINATOR_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "wire/message.h"

struct engine;
struct worker_info;

enum proof_kind { PROOF_TEXT, PROOF_FORMAT };
enum proof_state { PROOF_WAITING, PROOF_SENT, PROOF_PASSED, PROOF_REFUSED };

enum { PROOF_TEXT_BYTES = 120, PROOFS_MOST = 65536 };

struct proof {
    int64_t id;
    int32_t worker; // number
    int32_t model;
    enum proof_kind kind;
    enum proof_state state;
    int tries;
    int64_t due_ms;              // unless PASSED: when to ask (again)
    char text[PROOF_TEXT_BYTES]; // PASSED: what it wrote; REFUSED: why
    bool differs;                // from what most others wrote
    struct proof *next;
};

struct proofs {
    bool wanted;         // if false, nothing is ever asked
    struct proof *first; // owned
    size_t n;
    int64_t due_ms; // no proof needs to be asked before
    int64_t last_id;
};

void proofs_release(struct proofs *proofs);

// Call when a worker joins, or when the first job begins to use a model. Both
// ask for a proof of every pair of a worker and a model that it has.
void proofs_expect_worker(struct engine *engine,
                          const struct worker_info *worker, int64_t now);
void proofs_expect_model(struct engine *engine, int32_t model, int64_t now);
// Call when a worker leaves, or the last user of a model ends.
void proofs_forget_worker(struct engine *engine, int32_t worker);
void proofs_forget_model(struct engine *engine, int32_t model);

// Returns a proof to send now, and its message; NULL if there is none. It
// counts as sent: if sending fails, it will be asked again later.
struct proof *proofs_next(struct engine *engine, int64_t now,
                          struct call_message *out);

// Call when an answer or a fault with that id came from the worker.
void proofs_answered(struct engine *engine, const struct worker_info *worker,
                     int64_t id, const struct call_answer *answer, int64_t now);
void proofs_failed(struct engine *engine, const struct worker_info *worker,
                   int64_t id, enum call_fault fault, const char *text,
                   int64_t now);

// Returns true if the worker failed a proof for the model and may not be used.
bool proofs_refuse(const struct proofs *proofs, int32_t worker, int32_t model);

// Writes what is wrong with the worker, for people. Returns false if nothing
// is.
bool proofs_tell(const struct engine *engine, const struct worker_info *worker,
                 char *out, size_t size);

#endif
