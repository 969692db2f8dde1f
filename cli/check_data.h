// check_data: finds problems of a job before its first call, from its job file
// and its data alone.
//
// A search on twelve examples, or with a valset that lacks a label, ends with a
// score that means nothing, and nothing in the score shows it. Each check here
// looks for one such problem and says what to do about it. The finding is a
// warning if the result would merely be worse, and an error if it would be
// meaningless. An optimizer that makes a single set of demos chooses nothing,
// so fewer checks apply to it.

#ifndef CLI_CHECK_DATA_H
#define CLI_CHECK_DATA_H

#include "cli/jobfile.h"

// Adds its findings to the file's. The job and its data must have been read.
void check_data(struct jobfile *file);

#endif
