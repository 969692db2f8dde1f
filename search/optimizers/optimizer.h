// optimizer: a way to search for the best candidate.
//
// Each optimizer is one file, <name>.c, that ends in its table row, and one
// line in optimizers.def, which both optimizer.c and CMake read. For users, its
// name is also in docs/job.schema.json (a test checks this), and its parameters
// are in docs/job-file.md. Parameters are rows: name, type, range and default
// are declared once, and the checks, `--set` and the help follow from them.

#ifndef SEARCH_OPTIMIZERS_OPTIMIZER_H
#define SEARCH_OPTIMIZERS_OPTIMIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "program/job/dataset.h"
#include "program/job/job.h"
#include "program/source/diag.h"
#include "search/session/session.h"

enum param_kind { PARAM_INT, PARAM_NUMBER, PARAM_BOOL, PARAM_CHOICE };

// The types in the parameter struct: int64_t, double, bool, and for a choice
// int (its index among the choices).
struct param {
    const char *name; // as users know it
    enum param_kind kind;
    size_t offset;
    double min, max;            // int and number
    double default_value;       // default; for a choice, its index
    const char *const *choices; // NULL-terminated
    const char *help;           // one sentence
};

struct optimizer {
    const char *name;
    const char *help; // one sentence
    const struct param *params;
    size_t n_params;
    size_t params_size;
    bool logprobs; // asks for log-probabilities from the baseline on
    bool one_set;  // makes one set of demos and does not search for a better
                   // one
    bool seeds;    // builds on the program of an earlier run (`from`)
    bool pools;    // tries `demos.nearest` where the job allows it
    bool early;    // begins with a baseline on part of the validation share,
                   // and sets the whole one later (session_set_baseline)
    // Checks what single ranges cannot express. May be NULL.
    bool (*check)(const struct job *job, const void *params,
                  struct diags *diags);
    // Returns the expected work on this job without the baseline, so that
    // people know it before the optimizer runs. The optimizer corrects the
    // figure as it learns more (session_expect). May be NULL: then nothing is
    // known until it does.
    struct effort (*effort)(struct session *session, const void *params);
    // Searches. The baseline trial is done and is the session's best; it is on
    // the whole validation share, or on the first part of it if the optimizer
    // begins early. The optimizer sets a better trial. Also returns true if the
    // budget ended the search.
    bool (*run)(struct session *session, const void *params, struct err *err);
};

// The table, NULL-terminated, with the default first; and the row of a name, or
// NULL if there is none.
extern const struct optimizer *const optimizers[];
const struct optimizer *optimizer_find(const char *name);

// Reads the job's optimizer parameters into arena, with defaults filled in.
// Returns NULL after adding findings: an unknown optimizer or parameter (with
// the nearest right name), or wrong values. The seed belongs to the job:
// job_load reads and checks it.
const void *optimizer_params(const struct job *job,
                             const struct optimizer **optimizer,
                             struct arena *arena, struct diags *diags);

// Warns about data that a search cannot learn much from: too few examples, or
// none to test on. A choice among many candidates favours the lucky ones. An
// optimizer that makes a single set of demos chooses nothing, so its score is
// simply reported with its interval.
void optimizer_check_data(const struct optimizer *optimizer,
                          const struct job *job, const struct dataset *dataset,
                          const struct split *split, struct diags *diags);

// Adds only the findings, as job_load_checked needs them.
void optimizer_check(const struct job *job, struct diags *diags);

#endif
