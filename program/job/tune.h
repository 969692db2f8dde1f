// tune: the values of a job file that are written {tune: [...], default: ...}.
//
// Reading has two halves, since a default must stand in the place of its list
// before anything else is read, and choices can be checked only once the
// program is known:
//
//   tune_take     k: {tune: [3, 5, 8], default: 5}   -->  k: 5, and remembered
//   tune_settle   each choice fits where it stands   -->  job->tunables
//
// What an optimizer can choose is a setting of the student's model or of the
// job (settings.h), a value of a step whose kind says so (kind.h), and the
// number of demos. A list anywhere else is told to be out of the search, and
// its default is taken.

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
    size_t otherwise;
};

struct tune {
    struct arena *arena; // borrowed: names live here
    struct diags *diags;
    struct tune_item items[TUNABLES_MAX];
    size_t n;
};

// Takes the lists out of root and puts their defaults there. Mistakes are
// findings; a list with mistakes leaves any of its values, or none.
void tune_take(struct tune *tune, struct node *root);

// Fills out, which is released by tunables_release whatever comes of it. False
// with findings.
bool tune_settle(const struct tune *tune, const struct program *program,
                 struct tunables *out);

#endif
