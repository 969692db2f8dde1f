// documents: what retrieve steps search, as files of the job.
//
// A file has one document per row, in any form that data may have (rows.h):
// JSON lines, JSON, or a table if its name says so. A folder has one document
// per file, with the fields `name` (the file's name without its extension) and
// `text`. Files whose names begin with a dot, and subfolders, are left out.
//
//   {"title": "Warfarin", "text": "Ask your pharmacist before ..."}
//
// A field's value is a text. Numbers and anything else that JSON can hold
// become JSON text, and null means that there is no value.

#ifndef PROGRAM_JOB_DOCUMENTS_H
#define PROGRAM_JOB_DOCUMENTS_H

#include <stdbool.h>

#include <jansson.h>

#include "common/err.h"
#include "common/hash.h"
#include "program/graph/program.h"
#include "program/job/bundle.h"

enum {
    DOCUMENTS_MAX = 100000,
    DOCUMENTS_MAX_BYTES = 32 << 20,
    DOCUMENT_MAX_BYTES = 1 << 20,
    DOCUMENT_MAX_FIELDS = 64,
};

// Reads the documents of that name into the bundle and returns them as a list
// of objects, with the fields in the order of the file and all values as texts.
// New reference; NULL with ERR_INPUT (place and reason) or ERR_LIMIT.
json_t *documents_read(struct bundle *bundle, const char *name,
                       struct err *err);

// Checks that each of these fields (a name, or a list of names) is in some
// document.
bool documents_check_fields(const json_t *documents, const json_t *fields,
                            struct err *err);

// Adds the bytes of the documents of all retrieve steps to the hash.
void documents_hash(const struct program *program, const struct bundle *bundle,
                    struct hasher *hasher);

#endif
