// column_faults: what is said about the mistakes in a row.
//
// A person wrote the file, and most of what is missing is there under another
// name. So a missing field is looked for: under a similar key, and inside
// nested objects. Otherwise the keys that the row does have are listed. Pure.

#ifndef PROGRAM_JOB_COLUMN_FAULTS_H
#define PROGRAM_JOB_COLUMN_FAULTS_H

#include <jansson.h>

#include "program/job/columns.h"
#include "program/job/columns_state.h"

// Reports a mistake, at `key` of the row, or NULL.
void column_faults_add(const struct column_faults *faults, const char *key,
                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Reports that a row, `given` by the file's own keys, lacks a column or has
// nothing in it, and says which key was probably meant.
void column_faults_missing(const struct column_faults *faults, json_t *given,
                           const struct column *column);

// Reports a key that is no input, among columns_new_inputs.
void column_faults_unknown(const struct column_faults *faults,
                           const struct columns *columns, const char *key);

#endif
