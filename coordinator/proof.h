// proof: what a worker shows of a model, with real calls, when it joins.
//
// A server may name the same digest as its peers, and still answer otherwise:
// it ignores an output format, refuses to think, or runs on another engine. So
// each worker is asked, for each model that a job uses, as soon as the two
// meet:
//
//   TEXT     a fixed prompt at temperature 0, with the job's num_ctx and think.
//            A server that refuses it is refused. What it writes is compared
//            with what most others wrote. A text that differs is told in the
//            log and in `workers`, and nothing else comes of it, since even one
//            server may answer differently the next time.
//   FORMAT   where the job asks for JSON: a schema with one word that no model
//            would say by itself. Another reply is a server that ignores
//            `format`, and the worker gets no calls of that model.
//
// A model that embeds is not asked: it writes no text.
//
// Asked by CALL like any other call, under ids of its own (WIRE_PROOF_ID and
// up), so a worker of any version answers it. Nothing of it is stored or
// billed, and dispatch knows nothing of it: the worker takes one call more than
// its credit. A fault of the network or the server says nothing: it is asked
// again. So is one that is not answered, for its CALL or the answer may be
// lost: after 5 s, then more and more seldom. A worker that is still at it has
// the call under that id, and takes no second one. A worker that was refused is
// asked again every 8 s, for its server may be repaired: that is 24 tokens at
// most, and its machine stands idle meanwhile. What it shows then counts.
//
// Belongs to the coordinator's loop.

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
    int64_t due_ms;              // unless PASSED: is asked (again) then
    char text[PROOF_TEXT_BYTES]; // PASSED: what it wrote; REFUSED: why
    bool differs;                // from what most wrote
    struct proof *next;
};

struct proofs {
    bool wanted;         // else nothing is ever asked
    struct proof *first; // owned
    size_t n;
    int64_t due_ms; // none is to be asked before
    int64_t last_id;
};

void proofs_release(struct proofs *proofs);

// Call when a worker joins, or a job begins to use a model: asks for a proof of
// each pair of a worker and a model that it has.
void proofs_expect_worker(struct engine *engine,
                          const struct worker_info *worker, int64_t now);
void proofs_expect_model(struct engine *engine, int32_t model, int64_t now);
// Call when a worker leaves, or the last job that uses a model ends.
void proofs_forget_worker(struct engine *engine, int32_t worker);
void proofs_forget_model(struct engine *engine, int32_t model);

// One that is to be sent now, and its message; NULL when there is none. It
// counts as sent: if it could not be, it is asked again in time.
struct proof *proofs_next(struct engine *engine, int64_t now,
                          struct call_message *out);

// An answer or a fault under that id came from the worker.
void proofs_answered(struct engine *engine, const struct worker_info *worker,
                     int64_t id, const struct call_answer *answer, int64_t now);
void proofs_failed(struct engine *engine, const struct worker_info *worker,
                   int64_t id, enum call_fault fault, const char *text,
                   int64_t now);

// What is wrong with the worker, for people; false: nothing is.
bool proofs_tell(const struct engine *engine, const struct worker_info *worker,
                 char *out, size_t size);

#endif
