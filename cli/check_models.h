// check_models: checks whether the available servers have the models of a job,
// and all of them the same ones.
//
// A run notices only once it has begun that a server lacks a model, or has a
// different model under that name. The run then waits, or that server gets no
// calls. This check reports it beforehand, with the command that fixes it, and
// so a server that does not answer.

#ifndef CLI_CHECK_MODELS_H
#define CLI_CHECK_MODELS_H

#include "cli/jobfile.h"
#include "cli/options.h"

// Asks the servers that the options name; asks none if they name none.
void check_models(struct jobfile *file, const struct options *options);

#endif
