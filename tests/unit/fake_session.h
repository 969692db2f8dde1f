// fake_session: the session's functions over a scripted model in memory.
//
// A test that links this has its optimizer talk to a model that is a C
// function. The fake keeps the contract of search/session/session.h strictly:
// it finishes a trial only when the optimizer must be allowed to see it (FINISH
// LATE), or at once (FINISH EARLY); an optimizer that looks beyond the lag
// decides differently under the two.

#ifndef FAKE_SESSION_H
#define FAKE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "search/optimizers/optimizer.h"
#include "search/session/row_lists.h"
#include "search/session/session.h"

// One call of the scripted model.
struct fake_ask {
    const struct program *program;
    const struct step *step;
    const struct candidate_part *part;
    const json_t *inputs;
    enum role role;
    const struct sampling *sampling;
};

struct fake_script {
    // The step's outputs by name, a new reference; NULL: no readable answer.
    json_t *(*answer)(void *user, const struct fake_ask *ask);
    // 0..1; outputs of the job's program by name.
    double (*score)(void *user, const json_t *example, const json_t *outputs);
    void *user;
};

enum fake_finish { FINISH_LATE, FINISH_EARLY };

// What a search expected to come to, from its first example to its last, when
// it had submitted so many.
struct fake_expectation {
    size_t submitted;
    size_t examples;
    size_t trials; // 0: not known
};

struct session {
    struct fake_script script;
    enum fake_finish finish;
    int64_t max_trials; // what the budget has room for; 0: any number
    size_t max_runs;    // the same, of runs of the teacher
    size_t kept_back;   // of max_proof (session_keep_back)
    size_t max_proof;   // examples scored as no trial that it has room for
    bool refused;       // a trial was, since the budget was used up
    size_t runs_asked;
    size_t fault_at; // this wait for runs fails, counted from 1; 0: none
    size_t waits;
    struct job job;
    struct diags *diags;
    struct arena arena;
    struct dataset *dataset;
    json_t **fields, **inputs; // of its rows, n_rows; references
    size_t n_rows;
    struct row_lists lists; // of trials
    struct split split;
    struct plan plan;
    struct candidate *baseline;
    struct trial **trials;
    size_t n_trials;
    struct trial **again; // scored once more (session_again)
    size_t n_again;
    struct trial *baseline_trial; // NULL: the first
    struct trial *best;
    struct trial *rival;               // NULL: not told
    struct trial *seed;                // of an earlier run; NULL: none
    const char *ended;                 // finish reason, or NULL
    size_t submitted;                  // examples that are run anew
    struct fake_expectation *expected; // whatever was expected, in its order
    size_t n_expected;
    char notes[4096];
    // Called around what the fake itself allocates; NULL: nothing is.
    bool (*pause)(void);
    void (*resume)(bool);
    // counts
    size_t most_open; // trials under way together, at most
    size_t runs[ROLE_COUNT];
    size_t asked_fill, asked_summary, asked_propose, asked_bootstrap;
    size_t asked_reflect;
};

// A job of the steps in YAML (inputs, steps, outputs), examples as a JSON
// array, its first n_train rows for training and all others for validation;
// n_train 0: all rows are both. reads: names of the outputs that the metric
// reads, NULL-terminated; NULL: all. The baseline is evaluated. Aborts the
// test when anything is wrong.
struct session *fake_new(const char *yaml, const char *examples, size_t n_train,
                         const char *const *reads, struct fake_script script,
                         enum fake_finish finish);
// The same with so many rows of one text and the label x, and one step that
// always gives it and scores 0.
struct session *fake_plain(size_t n_rows, size_t n_train);
void fake_free(struct session *session);

// Runs an optimizer by its name with parameters in YAML flow form ("{}").
bool fake_optimize(struct session *session, const char *name,
                   const char *params, struct err *err);

// What it expects before it runs (struct optimizer).
struct effort fake_effort(struct session *session, const char *name,
                          const char *params);

size_t fake_count(const struct session *session, enum trial_kind kind);

// Two searches took the same way: the same candidates, scored on the same rows
// in the same order, and the same winner.
void fake_expect_same(const struct session *a, const struct session *b);

#endif
