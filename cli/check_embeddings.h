// check_embeddings: what the embeddings of a job cost beside its trials: those
// of its documents, and of the rows of its demo pools.

#ifndef CLI_CHECK_EMBEDDINGS_H
#define CLI_CHECK_EMBEDDINGS_H

#include <stddef.h>

#include "cli/jobfile.h"
#include "cli/options.h"

// How many texts are embedded for any candidate of the job to search; 0 where
// it does not, or where they cannot be read.
size_t embeddings_count(const struct jobfile *file);

// Says so.
void check_embeddings(struct jobfile *file, const struct options *options);

#endif
