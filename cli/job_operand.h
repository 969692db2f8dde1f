// job_operand: the word on the command line that means a job.
//
// It is an id, the beginning of one, or a job file or its folder. A store next
// to the file knows which jobs were run from it (history_file.h); a cluster
// knows a file's job only by the name in the file.

#ifndef CLI_JOB_OPERAND_H
#define CLI_JOB_OPERAND_H

#include <stdbool.h>

#include "cli/options.h"
#include "common/err.h"

// Returns true for a file or a folder that exists; false for an id and for
// NULL.
bool job_operand_is_path(const char *word);

// Returns what to ask a cluster about: the name of the job in a job file or its
// folder, else the word itself ("" for NULL). A folder without a job.yaml is an
// id too, since a job may be called like it. The caller frees the result. NULL
// with ERR_INPUT: the file cannot be read, or has mistakes.
char *job_operand_name(const struct options *options, const char *word,
                       struct err *err);

#endif
