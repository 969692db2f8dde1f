// check_programs: whether the programs that a job names start and answer.
//
// The metric's is asked about the labels of a row and about wrong ones, and
// should tell them apart; those of exec steps are check_steps.h's.

#ifndef CLI_CHECK_PROGRAMS_H
#define CLI_CHECK_PROGRAMS_H

#include "cli/jobfile.h"

void check_programs(struct jobfile *file, const struct options *options);

#endif
