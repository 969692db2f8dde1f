// optimizer: a way to search for the best candidate.
//
// One file each, <name>.c, ending in its row, and one line in optimizers.def,
// which both optimizer.c and CMake read. For people its name stands in
// docs/job.schema.json too (a test says so), and its parameters in
// docs/job-file.md. Parameters are rows: name, type, range and default stand in
// one place, and checking, `--set` and help follow from them.

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

// In the parameter struct: int64_t, double, bool, and for a choice int (the
// index among the choices).
struct param {
    const char *name; // as its users know it
    enum param_kind kind;
    size_t offset;
    double min, max;            // int and number
    double otherwise;           // default; of a choice: its index
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
    bool one_set;  // makes one set of demos, and searches for no better one
    bool seeds;    // builds on the program of an earlier run (`from`)
    bool pools;    // tries `demos.nearest` where the job allows it
    bool early;    // begins with a baseline on a part of the validation share,
                   // and sees to the rest of it (session_set_baseline)
    // Checks what single ranges cannot; may be NULL.
    bool (*check)(const struct job *job, const void *params,
                  struct diags *diags);
    // What it expects to come to on this job, the baseline not counted: people
    // are told before it runs. It corrects that as it learns more
    // (session_expect). May be NULL: then nothing is known until it does.
    struct effort (*effort)(struct session *session, const void *params);
    // Searches. The baseline trial (on the whole validation share, or the first
    // part of it where the optimizer begins early) is done and is the session's
    // best; the optimizer sets a better one. True also when it
    // ended by budget.
    bool (*run)(struct session *session, const void *params, struct err *err);
};

// The table, NULL-terminated, the default first; and a row by name (NULL:
// none).
extern const struct optimizer *const optimizers[];
const struct optimizer *optimizer_find(const char *name);

// Reads the job's optimizer parameters, defaults filled, into arena. NULL with
// findings: unknown optimizer or parameter (nearest right name), wrong values.
// The seed is the job's: job_load reads it and tells what is wrong with it.
const void *optimizer_params(const struct job *job,
                             const struct optimizer **optimizer,
                             struct arena *arena, struct diags *diags);

// Warns of data that a search cannot learn much from: few examples, or none to
// test on. A choice among many candidates favours the lucky ones; who makes a
// single set of demos chooses nothing, and its score is told with its interval.
void optimizer_check_data(const struct optimizer *optimizer,
                          const struct job *job, const struct dataset *dataset,
                          const struct split *split, struct diags *diags);

// The findings alone, as job_load_checked asks for them.
void optimizer_check(const struct job *job, struct diags *diags);

#endif
