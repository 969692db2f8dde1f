// check_data: what can be said of a job before the first call, from its job
// file and its data alone.
//
// A search on twelve examples, or on a validation share that lacks a label,
// ends with a score that means nothing, and nothing in the score shows it. Each
// attempt here looks for one such problem and says what to do about it. It is a
// warning when the result would merely be worse, an error when it would be
// meaningless. An optimizer that makes one set of demos, and so chooses
// nothing, gets fewer.

#ifndef CLI_CHECK_DATA_H
#define CLI_CHECK_DATA_H

#include "cli/jobfile.h"

// Adds its findings to the file's. The job and its data have been read.
void check_data(struct jobfile *file);

#endif
