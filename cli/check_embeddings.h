// check_embeddings: what the embeddings of a job cost in addition to its
// trials: those of its documents, and those of the rows in its demo pools.

#ifndef CLI_CHECK_EMBEDDINGS_H
#define CLI_CHECK_EMBEDDINGS_H

#include <stddef.h>

#include "cli/jobfile.h"
#include "cli/options.h"

// Returns how many texts of documents must be embedded before any candidate of
// the job can search them. Returns 0 if the job embeds none or if they cannot
// be read.
size_t embeddings_count(const struct jobfile *file);

// Adds a finding that says what they cost.
void check_embeddings(struct jobfile *file, const struct options *options);

#endif
