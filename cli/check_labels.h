// check_labels: whether the labels of a job's examples can be learned and
// measured.
//
// Counts each label in all examples and in each share: a label may be too rare,
// so common that always answering it scores well, or missing from a share; and
// a text with few different values should be an enum.

#ifndef CLI_CHECK_LABELS_H
#define CLI_CHECK_LABELS_H

#include "cli/jobfile.h"

// Adds its findings to the file's. The job and its data must have been read.
void check_labels(struct jobfile *file);

#endif
