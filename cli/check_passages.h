// check_passages: checks whether the passages that a retrieve step finds leave
// enough room in the context.
//
// fit (search/session/fit.h) assumes that every passage has the usual length,
// because it must decide the same way wherever a job runs. But documents may be
// whole pages, and then the answers fail one by one because the prompt is too
// long.

#ifndef CLI_CHECK_PASSAGES_H
#define CLI_CHECK_PASSAGES_H

#include "cli/jobfile.h"
#include "cli/options.h"

void check_passages(struct jobfile *file, const struct options *options);

#endif
