// check_searches: retrieve steps that find nothing for any example, so that the
// steps behind them are asked, scored and tuned without a passage.
//
// Only queries that follow from the inputs of the job are searched for. What a
// query that a model writes finds is known when it is written: a run tells it
// after its first trial (retrieval_finds_nothing).

#ifndef CLI_CHECK_SEARCHES_H
#define CLI_CHECK_SEARCHES_H

#include "cli/jobfile.h"

// Needs the job, its examples and its plan; adds findings to file->diags.
void check_searches(struct jobfile *file);

#endif
