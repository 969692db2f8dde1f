// opening_read: what is done for an opening on another thread.
//
// Both are the `work` of its chore (background.h): the opening is theirs until
// they return, and they leave what went wrong in its err.

#ifndef COORDINATOR_OPENING_READ_H
#define COORDINATOR_OPENING_READ_H

#include "coordinator/background.h"

// Reads the job: out of its submission, or out of the store. `running` is set
// unless it fails.
void opening_read(struct chore *chore, struct store *reader,
                  const struct err *trouble);

// Looks up what the store knows of the job that was read.
void opening_look_up(struct chore *chore, struct store *reader,
                     const struct err *trouble);

#endif
