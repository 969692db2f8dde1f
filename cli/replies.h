// replies: tries on two rows whether the replies of a job's model can be read.
//
// A small model that does not follow the form of the chat adapter costs a
// repair, or a score of 0, for every row of a search. Often it can do so under
// a schema (`adapter: json`), which servers enforce. So `check` asks the
// student about two rows of the data in both forms, if a server answers.

#ifndef CLI_REPLIES_H
#define CLI_REPLIES_H

#include "cli/jobfile.h"
#include "cli/options.h"

// Asks the first of the servers in `options` that has the model; without
// --ollama and --openai, the local Ollama if it is running. Adds a warning if
// replies cannot be read in one form or in both, or if a server that was named
// does not answer.
void replies_try(struct jobfile *file, const struct options *options);

#endif
