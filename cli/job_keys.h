// job_keys: the keys that --set can name, for completion: those of the job's
// schema (docs/job.schema.json) and the parameters of all optimizers.

#ifndef CLI_JOB_KEYS_H
#define CLI_JOB_KEYS_H

#include "common/buf.h"

// Appends "budget.max_calls= budget.max_tokens= ...", separated by blanks. A
// map whose keys the user names (inputs, steps) appears only as the map itself.
void job_keys_put(struct buf *out);

#endif
