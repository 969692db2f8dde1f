// fake_session: the session's functions over a scripted model in memory.
//
// In a test that links this file, the optimizer talks to a model that is a C
// function. The fake keeps the contract of search/session/session.h strictly:
// it finishes a trial either at the last moment that the contract allows
// (FINISH LATE), or at once (FINISH EARLY). An optimizer that looks beyond the
// lag decides differently under the two.

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
    // Returns the step's outputs by name, as a new reference, or NULL for an
    // answer that cannot be read.
    json_t *(*answer)(void *user, const struct fake_ask *ask);
    // Returns a score from 0 to 1. `outputs` are those of the job's program, by
    // name.
    double (*score)(void *user, const json_t *example, const json_t *outputs);
    void *user;
};

enum fake_finish { FINISH_LATE, FINISH_EARLY };

// The total that a search expected, from its first example to its last, at the
// time when it had submitted this many.
struct fake_expectation {
    size_t submitted;
    size_t examples;
    size_t trials; // 0: unknown
};

struct session {
    struct fake_script script;
    enum fake_finish finish;
    int64_t max_trials; // that the budget allows; 0: any number
    size_t max_runs;    // the same for runs of the teacher
    size_t kept_back;   // of max_proof (session_reserve)
    size_t max_proof;   // most examples that the budget allows outside trials
    bool refused;       // a trial was refused, since the budget was used up
    size_t runs_asked;
    size_t fault_at; // the wait for runs that fails, counted from 1; 0: none
    size_t waits;
    struct job job;
    struct diags *diags;
    struct arena arena;
    struct dataset *dataset;
    json_t **fields, **inputs; // of its rows, n_rows; references
    size_t n_rows;
    struct row_lists lists; // the rows of trials
    struct split split;
    struct plan plan;
    struct candidate *baseline;
    struct trial **trials;
    size_t n_trials;
    struct trial **again; // trials that were scored once more (session_redraw)
    size_t n_again;
    struct trial *baseline_trial; // NULL: the first
    struct trial *best;
    struct trial *rival;               // NULL: none was reported
    struct trial *seed;                // of an earlier run; NULL: none
    const char *ended;                 // finish reason, or NULL
    size_t submitted;                  // examples that were run anew
    struct fake_expectation *expected; // everything that was expected, in order
    size_t n_expected;
    char notes[4096];
    // Called around what the fake itself allocates, if not NULL.
    bool (*pause)(void);
    void (*resume)(bool);
    // counts
    size_t most_open; // most trials in flight at one time
    size_t runs[ROLE_COUNT];
    size_t asked_fill, asked_summary, asked_propose, asked_bootstrap;
    size_t asked_reflect;
};

// Makes a job of the steps in `yaml` (inputs, steps, outputs) and the examples,
// a JSON array. The first n_train rows train and all others validate; with
// n_train 0 every row does both. `reads` names the outputs that the metric
// reads and ends with NULL; NULL means all outputs. The baseline is already
// evaluated. Aborts the test when anything is wrong.
struct session *fake_new(const char *yaml, const char *examples, size_t n_train,
                         const char *const *reads, struct fake_script script,
                         enum fake_finish finish);
// Like fake_new, with n_rows rows of the same text and the label x, and one
// step that always answers x and scores 0.
struct session *fake_plain(size_t n_rows, size_t n_train);
void fake_free(struct session *session);

// Runs an optimizer, given by name, with parameters in YAML flow form ("{}").
bool fake_optimize(struct session *session, const char *name,
                   const char *params, struct err *err);

// Returns the effort that the optimizer expects before it runs (struct
// optimizer).
struct effort fake_effort(struct session *session, const char *name,
                          const char *params);

size_t fake_count(const struct session *session, enum trial_kind kind);

// Checks that two searches took the same course: the same candidates, scored on
// the same rows in the same order, and the same winner.
void fake_expect_same(const struct session *a, const struct session *b);

#endif
