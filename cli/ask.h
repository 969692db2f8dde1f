// ask: asks a coordinator elsewhere (--coordinator) one question.

#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/options.h"
#include "common/buf.h"
#include "common/err.h"
#include "wire/key.h"

struct client;

enum { ASK_PATIENCE_MS = 5000 }; // until a coordinator elsewhere welcomes us

// Returns the reply of the coordinator that `client` is connected to, as a new
// reference. Returns NULL and sets err if it does not answer or answers with an
// error, whose text is then the coordinator's.
json_t *ask_client(struct client *client, const char *verb, const char *job,
                   const char *argument, struct err *err);

// Connects, and returns the reply to `verb` about `job` ("" for none);
// `argument` is JSON or "". New reference. Returns NULL and sets err if no
// coordinator answers, or if it answers with an error, whose text is then the
// coordinator's.
json_t *ask_coordinator(const struct options *options, const char *verb,
                        const char *job, const char *argument, struct err *err);

// Asks about the command's first operand, a job (job_operand.h), and prints the
// reply: for people, the job and `outcome` ("continues"; NULL: the state that
// it has now), and then the command that continues the job and `again`, other
// ways to do so; NULL: the job needs none. Returns the exit status.
int ask_and_tell(const struct options *options, const char *verb,
                 const char *argument, const char *outcome, const char *again);

// Returns the checked address of --coordinator, borrowed. If it is missing or
// not an address, sets ERR_INPUT with advice.
const char *ask_endpoint(const struct options *options, struct err *err);

// Appends the options that reach the same cluster, " --coordinator tcp://..."
// and " --keys DIR" if keys were named, to a command that a person is to copy.
void ask_put_address(const struct options *options, struct buf *out);

// Reads the key of that role from the folder of --keys, or sets KEY_NONE
// without --keys. The caller wipes the key.
bool ask_key(const struct options *options, enum key_role role, struct key *out,
             struct err *err);

#endif
