// dataset: the labelled examples of a job, and their split.
//
// JSON lines or CSV (by the file's ending or its first byte), one example a
// row, checked against the program's inputs and the labels that its outputs
// name (also as "step.field"). Labels that the metric needs must be there; any
// other label that is null counts as not given. Further columns are kept for
// metrics. A row is known by its index; its hash tells duplicates.
//
// A cell of a CSV file gets the type of its input or label: numbers, true and
// false (also yes, no, 1, 0), lists and objects as JSON. An empty cell
// means that there is no value; a text without a default is then empty.

#ifndef PROGRAM_JOB_DATASET_H
#define PROGRAM_JOB_DATASET_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/hash.h"
#include "program/job/bundle.h"
#include "program/job/job.h"
#include "program/source/diag.h"

enum { DATASET_MAX_ROWS = 1000000 };

struct row {
    json_t *fields;   // the example as given, defaults filled; owned
    json_t *inputs;   // exactly the program's inputs, in order; owned
    struct hash hash; // over fields, keys sorted
    const char *file; // as the job or the caller of dataset_file names it;
                      // borrowed from there
    const char *path; // of that file, for messages; borrowed from the dataset
    int line;
};

enum { DATASET_MAX_FILES = 4 };

struct dataset {
    struct row *rows;
    size_t n;
    size_t skipped;                 // bad rows left out by skip_bad
    char *paths[DATASET_MAX_FILES]; // owned: the files from where the user is
    size_t n_paths;
};

enum share { SHARE_TRAIN, SHARE_VAL, SHARE_TEST };
enum { SHARE_COUNT = 3 };
extern const char *const share_names[SHARE_COUNT]; // "train", "val", "test"

// Row indices: of a share that is a file in its order, of a drawn one in an
// order that mixes the labels evenly. Below 100 rows train and val are the same
// rows in the same order, `shared` (docs/job-file.md).
struct split {
    size_t *rows[SHARE_COUNT];
    size_t n[SHARE_COUNT];
    bool shared;
    bool test_empty; // there was to be a test share, and no example falls to it
};

// All files of the job. NULL with findings (bad rows with their lines).
struct dataset *dataset_load(const struct job *job, struct bundle *bundle,
                             struct diags *diags);

// One more file, as `eval --data` has it. NULL with findings.
struct dataset *dataset_file(const struct job *job, struct bundle *bundle,
                             const char *name, struct diags *diags);
void dataset_free(struct dataset *dataset); // NULL is fine

// Stratified (by `stratify`, else by the first label of the metric that is an
// enum or a bool), seeded, rounded by largest remainder within each label.
// Reports duplicates across shares and empty shares as findings; false when
// train or val is empty, and without memory. The rules stand in split.c.
bool split_make(const struct job *job, const struct dataset *dataset,
                struct split *out, struct diags *diags);
void split_release(struct split *split);

#endif
