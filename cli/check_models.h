// check_models: whether the servers at hand have the models of a job, and the
// same ones.
//
// A server without a model, or with another one under its name, is found out
// when a run begins, and then the run waits or that server gets no calls. Here
// it is told before, with the command that mends it.

#ifndef CLI_CHECK_MODELS_H
#define CLI_CHECK_MODELS_H

#include "cli/jobfile.h"
#include "cli/options.h"

// Asks the servers that the options name, and none where they name none.
void check_models(struct jobfile *file, const struct options *options);

#endif
