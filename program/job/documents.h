// documents: what retrieve steps search, as files of the job.
//
// A JSON lines file has a document a line, an object of named fields; a folder
// has one a file: `name`, the file's without its ending, and `text`. Files of a
// folder whose name begins with a dot, and folders in it, are left out.
//
//   {"title": "Warfarin", "text": "Ask your pharmacist before ..."}
//
// A field's value is a text; numbers and whatever else JSON holds are taken as
// JSON text, and null is no value.

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

// Reads the documents of that name into the bundle and gives them: a list of
// objects, fields in the order of the file, all values texts. New reference;
// NULL with ERR_INPUT (place and reason) or ERR_LIMIT.
json_t *documents_read(struct bundle *bundle, const char *name,
                       struct err *err);

// Whether each of these fields (a name, or a list) is in some document.
bool documents_check_fields(const json_t *documents, const json_t *fields,
                            struct err *err);

// Adds the bytes of the documents of all retrieve steps.
void documents_hash(const struct program *program, const struct bundle *bundle,
                    struct hasher *hasher);

#endif
