// job_examples: a job's examples in its history, for people to read
// (v_evaluations).

#ifndef COORDINATOR_JOB_EXAMPLES_H
#define COORDINATOR_JOB_EXAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "coordinator/job_spec.h"
#include "store/history.h"

// Puts every example into the draft of reader, once per job and off the loop.
// Very large data is stored without its texts, since those are in the job's
// files too. job_no: the job's number in the store.
bool job_examples_keep(const struct job_spec *spec, struct store *reader,
                       int64_t job_no, struct err *err);

#endif
