// check_data: what can be said of a job before the first call, from its job
// file and its data alone.
//
// A search on twelve examples, or on a validation share that lacks a label,
// ends in a number that means nothing, and nobody is told. Each attempt here
// looks for one such thing and says what to do about it. What is only a
// pity is a warning; what makes the result meaningless is an error. Less is to
// be said where an optimizer makes one set of demos and chooses nothing.

#ifndef CLI_CHECK_DATA_H
#define CLI_CHECK_DATA_H

#include "cli/jobfile.h"

// Adds its findings to the file's. The job and its data have been read.
void check_data(struct jobfile *file);

#endif
