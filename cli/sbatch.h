// sbatch: gives a script to Slurm.

#ifndef CLI_SBATCH_H
#define CLI_SBATCH_H

#include <stdbool.h>

#include "common/err.h"

enum { SBATCH_ID_BYTES = 4096 };

// Runs `sbatch --parsable ARGUMENT SCRIPT`, without the argument if it is NULL,
// and writes the Slurm job's number as text. ERR_INPUT: sbatch is not here, or
// it refused, for a reason that it has printed.
bool sbatch_submit(const char *script, const char *argument,
                   char id[static SBATCH_ID_BYTES], struct err *err);

#endif
