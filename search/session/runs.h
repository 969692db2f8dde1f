// runs: what a program answers on inputs, with traces: no trials.
//
// A teacher's runs, the questions that proposals come from, and the embeddings
// of documents are runs. They are paid from the same budget as trials, in the
// order of submission, and any number may be under way.
//
// All functions are for the job's own thread.

#ifndef SEARCH_SESSION_RUNS_H
#define SEARCH_SESSION_RUNS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "program/graph/plan.h"
#include "search/session/task.h"

struct session;

struct runs_request {
    const struct program *program; // borrowed until the runs are freed
    const struct plan *plan;       // borrowed too
    struct candidate *candidate;   // sealed
    enum role role;
    struct sampling sampling;
    bool scored;           // by the job's metric: items are rows
    bool free_text;        // replies have room for text, whatever num_predict
    const size_t *rows;    // items as rows of the dataset, or
    json_t *const *inputs; // as inputs of the program (references are taken),
    const json_t *texts;   // or as texts to be embedded, a list of n: the role
                           // is ROLE_EMBED, and nothing is run
    json_t *const *given; // NULL, or one an item: {step: outputs} that stand in
                          // place of these steps' answers; NULL for none
    size_t n;
};

struct runs {
    struct task_item *items; // traced
    size_t n;
    bool done;
    struct task *task;
};

// Submits and returns at once; any number may be under way.
struct runs *runs_submit(struct session *session,
                         const struct runs_request *request, struct err *err);
bool runs_wait(struct session *session, struct runs *runs, struct err *err);
void runs_free(struct runs *runs); // only when done, or at the end; NULL fine

// Has the demos in the candidate's pools embedded, if the program picks demos
// by embeddings, and waits for it. Texts that were embedded before are not
// asked for again. runs_submit and trial_submit call it first by themselves.
bool runs_embed_pools(struct session *session, struct candidate *candidate,
                      struct err *err);

#endif
