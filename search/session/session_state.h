// session_state: what a session is made of, for the files that make it up:
// session.c (what is known, results, words for people), unit.c (what is under
// way, its account and budget), runs.c and trials.c (what is submitted) and
// session_thread.c (its life). Others see session.h alone.

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
    void *pair; // owned: the socket to the loop (note.h); of the job's thread
    pthread_t thread;
    bool started;                 // there is a thread to be joined
    struct candidate *baseline;   // a reference
    struct trial *baseline_trial; // NULL: the first
    struct trial *seed_trial;     // NULL: none
    struct fit *fit;              // owned
    struct unit **units;          // owned, in the order of submission
    size_t n_units, cap_units;
    int64_t n_waits;        // for units, so far
    size_t accounted;       // units whose calls are in the ledger
    size_t admitted;        // units that the lag was kept for, and
    int64_t admitted_trial; // the last numbered trial among them
    struct map scored;      // units accounted for, by their trial's candidate
    struct trial **trials;  // numbered ones, borrowed from the units
    size_t n_trials, cap_trials;
    struct row_lists lists;
    struct account account;
    struct forecast forecast;
    struct trial *best;
    struct trial *rival; // NULL: not told
    const char *finish;
    struct map embedded;     // texts that were, by hash
    bool logprobs;           // are asked for
    bool asked[ROLE_COUNT];  // models that have answered a task
    size_t judged, unjudged; // answers, by all trials accounted for
    struct err fault;        // set: the judge says too little; each wait ends
                             // with it, whoever has overheard it before
};

// Tells people what is to come, where that has changed.
void session_tell_forecast(struct session *session);

#endif
