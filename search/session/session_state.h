// session_state: the data of a session, for the files that implement it:
// session.c (what is known, results, messages for people), unit.c (work under
// way, its account and budget), runs.c and trials.c (what is submitted) and
// session_thread.c (start and end). Everyone else includes only session.h.

#ifndef SEARCH_SESSION_SESSION_STATE_H
#define SEARCH_SESSION_SESSION_STATE_H

#include <pthread.h>

#include "common/map.h"
#include "search/session/account.h"
#include "search/session/fit.h"
#include "search/session/forecast.h"
#include "search/session/row_lists.h"
#include "search/session/session_thread.h"

struct unit;

struct session {
    struct session_setup setup;
    void *pair; // owned: the socket to the loop (note.h); used by the job's
                // thread
    pthread_t thread;
    bool started;                 // the thread exists and must be joined
    struct candidate *baseline;   // our reference
    struct trial *baseline_trial; // NULL: the first trial
    struct trial *seed_trial;     // NULL: none
    struct fit *fit;              // owned
    struct unit **units;          // owned, in the order of submission
    size_t n_units, cap_units;
    int64_t n_waits;        // waits for units so far
    size_t accounted;       // units whose calls are in the ledger
    size_t admitted;        // units that session_admit has waited for, and
    int64_t admitted_trial; // the last numbered trial among them
    struct map scored;      // units accounted for, by the candidate of their
                            // trial
    struct trial **trials;  // numbered ones, borrowed from the units
    size_t n_trials, cap_trials;
    struct row_lists lists;
    struct account account;
    struct forecast forecast;
    struct trial *best;
    struct trial *rival; // NULL: not set
    const char *finish;
    struct map embedded;     // texts that were embedded, by hash
    bool logprobs;           // whether they are asked for
    bool asked[ROLE_COUNT];  // models that have answered a task
    size_t judged, unjudged; // answers, in all trials accounted for
    struct err fault;        // if set, the judge fails too often: from then on
                             // every wait ends with this error, even if an
                             // earlier waiter ignored it
};

// Sends the forecast to the loop if it has changed.
void session_tell_forecast(struct session *session);

#endif
