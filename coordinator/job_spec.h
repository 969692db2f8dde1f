// job_spec: a job as it was submitted: read, checked, and split.
//
// It is made off the loop and does not change once the job's session has
// started. Nothing in here knows of the store, of workers or of the loop.

#ifndef COORDINATOR_JOB_SPEC_H
#define COORDINATOR_JOB_SPEC_H

#include <stdbool.h>

#include "common/err.h"
#include "program/graph/plan.h"
#include "program/job/bundle.h"
#include "program/job/dataset.h"
#include "program/job/job.h"
#include "search/optimizers/optimizer.h"
#include "wire/request.h"

struct job_spec {
    struct request *request; // owned, like all below but the optimizer
    struct bundle *bundle;
    struct job *job;
    struct dataset *dataset;
    struct split split;
    struct plan plan;
    const struct optimizer *optimizer;
    const void *params; // of the optimizer; in the job's arena
    char *id;
    char *history_id; // its id in the store
};

// Reads the job and its data from the request and the bundle, which must be
// set. Call from any thread. Returns false if diags has errors or err is set.
bool job_spec_load(struct job_spec *spec, struct diags *diags, struct err *err);

// Sets both ids. Call once all files of the bundle have been read. Fails only
// when out of memory.
bool job_spec_identify(struct job_spec *spec, struct err *err);

// Frees what it owns. A zeroed spec, or one that failed to load, owns only what
// is set.
void job_spec_release(struct job_spec *spec);

#endif
