// dataset: the labelled examples of a job, and their split.
//
// A row is known by its index. It has fields, the example as given with its
// defaults filled, and inputs, exactly the program's inputs in their order.
// Rows are kept packed (packed.h), so that a million of them fit beside a
// million calls: the two objects are made when somebody asks for them, and
// those of the rows that were asked for last are kept, since a search asks for
// the same few hundred again and again. Inputs are never stored, for they
// follow from the fields.
//
// Filled by one thread; then read-only, and all of it may be called by several
// threads at once.

#ifndef PROGRAM_JOB_DATASET_H
#define PROGRAM_JOB_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "program/job/job.h"
#include "program/source/diag.h"

enum { DATASET_MAX_ROWS = 1000000, DATASET_MAX_FILES = 4 };

struct dataset;

// --- making ---

// An empty one. program is borrowed and outlives it. NULL without memory.
struct dataset *dataset_new(const struct program *program);
void dataset_free(struct dataset *dataset); // NULL is fine

// The file that the rows put from now on stand in. file is the name by which
// the job, or the caller of dataset_file, knows it, path the one for messages;
// both are copied. False without memory, or beyond DATASET_MAX_FILES.
bool dataset_begin_file(struct dataset *dataset, const char *file,
                        const char *path);

// Adds the row that begins on that line: a copy. False without memory.
bool dataset_put(struct dataset *dataset, const json_t *fields, int line);

// Bad rows that were left out.
void dataset_skip(struct dataset *dataset, size_t n);

// --- reading ---

size_t dataset_size(const struct dataset *dataset);
size_t dataset_skipped(const struct dataset *dataset);

// The objects of a row: references of the caller's, shared with others and so
// not to be changed.
struct row {
    json_t *fields;
    json_t *inputs;
};

// Both; false without memory.
bool dataset_row(const struct dataset *dataset, size_t row, struct row *out);

// One of them; NULL without memory, which jansson's getters take for an empty
// object.
json_t *dataset_fields(const struct dataset *dataset, size_t row);
json_t *dataset_inputs(const struct dataset *dataset, size_t row);

struct row_place {
    const char *file; // as the job names it
    const char *path; // from where the user is, for messages
    int line;
};

// Its texts are the dataset's.
struct row_place dataset_place(const struct dataset *dataset, size_t row);

// Whether two rows say the same, whatever the order of their keys. False also
// without memory.
bool dataset_same(const struct dataset *dataset, size_t a, size_t b);

// A row and the first 64 bits of a hash over its inputs: that two of a million
// rows have the same without having the same inputs is as likely as one in
// forty million.
struct keyed_row {
    uint64_t inputs;
    size_t row;
};

// All rows, those with the same inputs side by side in their order. The caller
// frees. NULL without memory.
struct keyed_row *dataset_by_inputs(const struct dataset *dataset);

// --- shares ---

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

// Stratified (by `stratify`, else by the first label of the metric that is an
// enum or a bool), seeded, rounded by largest remainder within each label.
// Reports duplicates across shares and empty shares as findings; false when
// train or val is empty, and without memory. The rules stand in split.c.
bool split_make(const struct job *job, const struct dataset *dataset,
                struct split *out, struct diags *diags);
void split_release(struct split *split);

#endif
