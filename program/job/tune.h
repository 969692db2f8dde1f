// tune: values of a job file that are written {tune: [...], default: ...}.
//
// They are read in two halves, because a default must replace its list before
// anything else is read, and the choices can be checked only once the program
// is known:
//
//   tune_take     k: {tune: [3, 5, 8], default: 5}   -->  k: 5, and remembered
//   tune_settle   checks that each choice is valid   -->  job->tunables
//
// An optimizer can choose a setting of the student's model or of the job
// (settings.h), a value of a step whose kind allows it (kind.h), and the number
// of demos. A list anywhere else is reported as not searched, and its default
// is used.

#ifndef PROGRAM_JOB_TUNE_H
#define PROGRAM_JOB_TUNE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "program/graph/program.h"
#include "program/graph/tunable.h"
#include "program/source/diag.h"
#include "program/source/node.h"

enum tune_place { TUNE_SETTING, TUNE_STEP, TUNE_DEMOS };

struct tune_item {
    enum tune_place at;
    const char *name; // of the tunable
    const char *step; // TUNE_STEP
    const char *key;
    struct place place;
    const struct node *choices;
    size_t default_index;
};

struct tune {
    struct arena *arena; // borrowed: names are allocated here
    struct diags *diags;
    struct tune_item items[TUNABLES_MAX];
    size_t n;
};

// Replaces the lists in root with their defaults. Mistakes become findings; a
// list with mistakes leaves any one of its values, or none.
void tune_take(struct tune *tune, struct node *root);

// Fills `out`, which must be released with tunables_release in any case.
// Returns false with findings.
bool tune_settle(const struct tune *tune, const struct program *program,
                 struct tunables *out);

#endif
