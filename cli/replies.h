// replies: whether the replies of a job's model can be read, tried on two rows.
//
// A small model that does not keep to the form of the chat adapter costs a
// repair, or a score of 0, with every row of a search. It often can under a
// schema (`adapter: json`), which servers enforce. So `check` asks the student
// for two rows of the data in both forms, where a server answers.

#ifndef CLI_REPLIES_H
#define CLI_REPLIES_H

#include "cli/jobfile.h"
#include "cli/options.h"

// Asks the servers of options, the first that has the model; without --ollama
// and --openai the local Ollama, if it is there. Adds a warning where replies
// cannot be read in one form or in both, or where a server that was named does
// not answer.
void replies_try(struct jobfile *file, const struct options *options);

#endif
