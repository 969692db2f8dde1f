// job_name: which job of a store a person means.

#ifndef STORE_JOB_NAME_H
#define STORE_JOB_NAME_H

#include <jansson.h>

#include "common/err.h"
#include "store/store.h"

// Returns the id of the one job that `prefix` names: an id, the beginning of
// one, or a job's name, which means its latest run; "" is the newest job with
// results, or else the newest. Also sees what was just put. The caller frees
// the result. Fails with ERR_INPUT, listing the jobs that exist.
char *job_name_find(struct store *store, const char *prefix, struct err *err);

// Returns {"job", "folder"} for each job whose file had that name, newest
// first: its id, and the folder that it was run from ("" or null if unknown).
// A new reference; NULL on failure.
json_t *job_name_of_file(struct store *store, const char *name,
                         struct err *err);

#endif
