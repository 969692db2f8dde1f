// check_searches: finds retrieve steps that find nothing for any example, so
// that the steps after them are asked, scored and tuned without a passage.
//
// Only queries that follow from the job's inputs are tried. What a query
// written by a model finds is known only once the model has written it: a run
// reports that after its first trial (retrieval_finds_nothing).

#ifndef CLI_CHECK_SEARCHES_H
#define CLI_CHECK_SEARCHES_H

#include "cli/jobfile.h"

// Adds findings to file->diags. Needs the job, its examples and its plan.
void check_searches(struct jobfile *file);

#endif
