// measure: what the calls of a run take, for its estimate (estimate.h).
//
// The rehearsal runs the job on the stand-in, in a temporary store, whatever
// servers are named. On the servers, the program as written is scored on the
// test share. A run does the same and finds these answers in the store, so
// nothing is paid for twice. With --coordinator, the workers of a cluster do
// that, and the cluster's history says what their calls took.
//
// Both return an exit status. If it is not EXIT_DONE, err may be clear: then
// the failure has been told.

#ifndef CLI_MEASURE_H
#define CLI_MEASURE_H

#include "cli/estimate.h"
#include "cli/jobfile.h"
#include "cli/options.h"
#include "common/err.h"

int measure_rehearsal(const struct options *options, struct jobfile *file,
                      struct rehearsal *out, struct err *err);

int measure_servers(const struct options *options, struct jobfile *file,
                    struct call_sums out[ROLE_COUNT], struct err *err);

#endif
