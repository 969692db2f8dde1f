// session_thread: the making and the end of a session (see session.h for what
// optimizers see of it).

#ifndef SEARCH_SESSION_SESSION_THREAD_H
#define SEARCH_SESSION_SESSION_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "program/job/bundle.h"
#include "search/optimizers/optimizer.h"
#include "search/session/note.h"
#include "search/session/session.h"
#include "wire/request.h"

// What the loop knows of a job's models. Written by the loop before the first
// task of a role is given back, and not changed afterwards: so the session may
// read a role's digest once a task of it is done (session_digest).
struct model_facts {
    const char *digests[ROLE_COUNT]; // NULL: not used yet
    bool simulated;
};

// All borrowed: they outlive the session.
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
    const json_t *texts; // to be embedded before the first trial; NULL: none
    // What the thread does (conduct.h).
    struct ending *(*conduct)(struct session *session);
};

// Starts the job's thread, which runs conduct and ends with NOTE_ENDED. NULL
// on failure.
struct session *session_start(const struct session_setup *setup,
                              struct err *err);

// Waits for the thread's end, after NOTE_ENDED, and frees. NULL is fine.
void session_join(struct session *session);

// --- for conduct.h and its neighbours, on the job's thread ---

const struct session_setup *session_setup_of(const struct session *session);
const char *session_finish(const struct session *session);

// The digest of the model that had a role in what the session has found; "" for
// one that had none. That an earlier run with a larger budget has asked it does
// not count, so that the same decisions end with the same bytes.
const char *session_digest(const struct session *session, enum role role);
bool session_simulated(const struct session *session); // a stand-in was asked

// The program of an earlier run was scored: the optimizer may build on it.
void session_set_seed(struct session *session, struct trial *trial);

// Sets that much of the budget aside for the end of the run: what is submitted
// from now on cannot use it. Zero releases it. If it would leave nothing for
// the search, nothing is set aside: what comes at the end would not fit in any
// case.
void session_set_aside(struct session *session, struct use use);

// How many examples are run once the search is over. People are told together
// with what the search expects, at the next session_expect.
void session_expect_after(struct session *session, size_t examples);

// Waits until nothing is under way, whatever came of it.
void session_settle(struct session *session);

// The estimated tokens of a candidate's longest prompt (fit.h).
bool session_prompt_tokens(struct session *session,
                           const struct candidate *candidate, size_t *tokens,
                           struct err *err);

// A note for the log of the run, behind which the reply of a call stands (the
// loop, which can read the store, adds it). call 0: none.
void session_note_reply(struct session *session, int64_t call,
                        const char *text);

// Warns when the program as written may not fit its context: before any call is
// paid for.
void session_check_fit(struct session *session);

#endif
