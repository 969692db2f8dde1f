// session_thread: starts and ends a session (session.h has what optimizers see
// of it).

#ifndef SEARCH_SESSION_SESSION_THREAD_H
#define SEARCH_SESSION_SESSION_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "program/job/bundle.h"
#include "search/optimizers/optimizer.h"
#include "search/session/note.h"
#include "search/session/session.h"
#include "wire/request.h"

// What the loop knows about a job's models. The loop writes it before it
// returns the first task of a role and does not change it afterwards. The
// session may therefore read a role's digest once a task of that role is done
// (session_digest).
struct model_facts {
    const char *digests[ROLE_COUNT]; // NULL: not used yet
    bool simulated;
};

// Everything here is borrowed and outlives the session.
struct session_setup {
    void *zmq;
    const char *endpoint; // of the running job's PAIR socket
    const struct request *request;
    struct bundle *bundle;
    const struct job *job;
    const struct dataset *dataset;
    const struct split *split;
    const struct plan *plan;
    const char *job_id;
    const struct optimizer *optimizer;
    const void *params;
    const struct model_facts *models;
    const json_t *texts; // to embed before the first trial; NULL: none
    // The job from its first line to its last (conduct.h).
    struct ending *(*conduct)(struct session *session);
};

// Starts the job's thread, which runs `conduct` and ends with NOTE_ENDED.
// Returns NULL on failure.
struct session *session_start(const struct session_setup *setup,
                              struct err *err);

// Waits for the thread to end, after NOTE_ENDED, and frees the session. Accepts
// NULL.
void session_join(struct session *session);

// --- for conduct.h and its neighbours, on the job's thread ---

const struct session_setup *session_setup_of(const struct session *session);
const char *session_finish(const struct session *session);

// Returns the digest of the model that had `role` in what the session has
// found, or "" if none had. It does not count that an earlier run with a larger
// budget asked the model, so that the same decisions end with the same bytes.
const char *session_digest(const struct session *session, enum role role);
bool session_simulated(const struct session *session); // true if a stand-in was
                                                       // asked

// Records the scored program of an earlier run: the optimizer may build on it.
void session_set_seed(struct session *session, struct trial *trial);

// Sets this much of the budget aside for the end of the run: work submitted
// from now on cannot use it. Zero releases it. If that would leave nothing for
// the search, nothing is set aside: the work at the end would not fit anyway.
void session_reserve_for_test(struct session *session, struct use use);

// Records how many examples are run after the search. People are told at the
// next session_expect, together with what the search expects.
void session_expect_after(struct session *session, size_t examples);

// Waits until nothing is under way, ignoring how each piece of work ended.
void session_settle(struct session *session);

// Computes the estimated tokens of a candidate's longest prompt (fit.h).
bool session_prompt_tokens(struct session *session,
                           const struct candidate *candidate, size_t *tokens,
                           struct err *err);

// Adds a note to the log of the run, followed by the reply of a call. The loop,
// which can read the store, appends the reply. call 0: none.
void session_note_reply(struct session *session, int64_t call,
                        const char *text);

// Warns if the program as written may not fit its context, before any call is
// paid for.
void session_check_fit(struct session *session);

#endif
