// runs: the answers of a program on given inputs, with traces, outside of
// trials.
//
// A teacher's runs, the questions that proposals come from, and the embeddings
// of documents are runs. They are paid from the same budget as trials, in the
// order of submission, and any number of them may be under way.
//
// Call all functions from the job's own thread.

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
                           // says
    const size_t *rows;    // items as rows of the dataset, or
    json_t *const *inputs; // as inputs of the program (references are taken),
    const json_t *texts;   // or as texts to embed, a list of n: the role is
                           // ROLE_EMBED, and no program is run
    json_t *const *given;  // NULL, or one entry per item: {step: outputs} that
                          // replace the answers of these steps; an entry may be
                          // NULL
    size_t n;
};

struct runs {
    struct task_item *items; // traced
    size_t n;
    bool done;
    struct task *task;
};

// Submits and returns at once; any number may be under way. The caller frees
// the result (runs_drop in search/toolkit/teacher.h frees it even under way).
// Returns NULL on failure. ERR_BUDGET: the rest of the budget is not enough.
struct runs *runs_submit(struct session *session,
                         const struct runs_request *request, struct err *err);

// Blocks until they are done. ERR_BUDGET: the budget cut them short.
bool runs_wait(struct session *session, struct runs *runs, struct err *err);

// Frees runs that are done. Accepts NULL.
void runs_free(struct runs *runs);

// If the program picks demos by embeddings: has the demos in the candidate's
// pools embedded, and waits for that. Texts that were embedded before are not
// sent again. runs_submit and trial_submit call this first, so callers need
// not.
bool runs_embed_pools(struct session *session, struct candidate *candidate,
                      struct err *err);

#endif
