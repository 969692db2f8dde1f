// check_passages: whether what a retrieve step finds leaves room in the
// context.
//
// fit (search/session/fit.h) takes every passage for one of usual length, since
// it must decide alike wherever a job runs. Documents may be whole pages, and
// then the answers fail one by one, as too long.

#ifndef CLI_CHECK_PASSAGES_H
#define CLI_CHECK_PASSAGES_H

#include "cli/jobfile.h"
#include "cli/options.h"

void check_passages(struct jobfile *file, const struct options *options);

#endif
