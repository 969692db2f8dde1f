// dataset: the labelled examples of a job, and their split.
//
// A row is identified by its index. It has fields, which are the example as
// given with its defaults filled in, and inputs, which are exactly the
// program's inputs in their order. Rows are kept packed (packed.h), so that a
// million of them fit in memory along with a million calls. The two objects are
// built on request, and those of the most recently used rows are cached, since
// a search asks for the same few hundred again and again. Inputs are never
// stored, because they follow from the fields.
//
// One thread fills a dataset. After that it is read-only, and several threads
// may call any of its functions at once.

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

// Creates an empty dataset. `program` is borrowed and must outlive it. Returns
// NULL when out of memory.
struct dataset *dataset_new(const struct program *program);
void dataset_free(struct dataset *dataset); // accepts NULL

// Starts a file: the rows put from now on belong to it. `file` is the name by
// which the job, or the caller of dataset_file, knows it; `path` is for
// messages. Both are copied. Returns false when out of memory, or beyond
// DATASET_MAX_FILES.
bool dataset_begin_file(struct dataset *dataset, const char *file,
                        const char *path);

// Adds a copy of the row that begins on that line. Returns false when out of
// memory.
bool dataset_put(struct dataset *dataset, const json_t *fields, int line);

// Counts n bad rows that were left out.
void dataset_skip(struct dataset *dataset, size_t n);

// --- reading ---

size_t dataset_size(const struct dataset *dataset);
size_t dataset_skipped(const struct dataset *dataset);

// The objects of a row. The caller owns the references; the objects are shared
// with others, so they must not be changed.
struct row {
    json_t *fields;
    json_t *inputs;
};

// Gets both objects; returns false when out of memory.
bool dataset_row(const struct dataset *dataset, size_t row, struct row *out);

// Get one of them. They return NULL when out of memory, which jansson's getters
// treat like an empty object.
json_t *dataset_fields(const struct dataset *dataset, size_t row);
json_t *dataset_inputs(const struct dataset *dataset, size_t row);

struct row_place {
    const char *file; // as the job names it
    const char *path; // relative to where the user is, for messages
    int line;
};

// Returns where a row comes from. The dataset owns the texts.
struct row_place dataset_place(const struct dataset *dataset, size_t row);

// Returns true if two rows are equal, whatever the order of their keys. Returns
// false when out of memory as well.
bool dataset_same(const struct dataset *dataset, size_t a, size_t b);

// A row and the first 64 bits of a hash of its inputs. The chance that any two
// of a million rows share these bits without having the same inputs is one in
// forty million.
struct keyed_row {
    uint64_t inputs;
    size_t row;
};

// Returns all rows, with those that have the same inputs next to each other, in
// row order. The caller frees the result. Returns NULL when out of memory.
struct keyed_row *dataset_by_inputs(const struct dataset *dataset);

// --- shares ---

enum share { SHARE_TRAIN, SHARE_VAL, SHARE_TEST };
enum { SHARE_COUNT = 3 };
extern const char *const share_names[SHARE_COUNT]; // "train", "val", "test"

// Row indices. A share that has its own file keeps that file's order; a share
// that is drawn has an order that mixes the labels evenly. Below 100 rows,
// train and val are the same rows in the same order, and `shared` is true
// (docs/job-file.md).
struct split {
    size_t *rows[SHARE_COUNT];
    size_t n[SHARE_COUNT];
    bool shared;
    bool test_empty; // a test share was wanted, but got no example
};

// Splits the rows: stratified (by `stratify`, else by the metric's first label
// that is an enum or a bool), seeded, and rounded by largest remainder within
// each label. Reports duplicates across shares and empty shares as findings.
// Returns false if train or val is empty, or when out of memory. The rules are
// in split.c.
bool split_make(const struct job *job, const struct dataset *dataset,
                struct split *out, struct diags *diags);
void split_release(struct split *split);

#endif
