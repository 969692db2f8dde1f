// ask: one question to a coordinator elsewhere (--coordinator).

#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/options.h"
#include "common/buf.h"
#include "common/err.h"
#include "wire/key.h"

struct client;

// The reply of the coordinator that client talks to. New reference; NULL with
// err: it does not answer, or its own words.
json_t *ask_client(struct client *client, const char *verb, const char *job,
                   const char *argument, struct err *err);

// The reply to verb about job ("" for none) with a JSON argument or "". New
// reference; NULL with err: no coordinator there, or its own words.
json_t *ask_coordinator(const struct options *options, const char *verb,
                        const char *job, const char *argument, struct err *err);

// Asks about the command's first operand, a job, and prints the reply: for
// people the job and `told` ("goes on"). The exit status.
int ask_and_tell(const struct options *options, const char *verb,
                 const char *argument, const char *told);

// --coordinator, checked: ERR_INPUT with what to do when it is missing or no
// address. Borrowed.
const char *ask_endpoint(const struct options *options, struct err *err);

// Adds the options that reach the same cluster, " --coordinator tcp://..." and
// " --keys DIR" if keys were named, to a command that a person is to copy.
void ask_put_address(const struct options *options, struct buf *out);

// The key of that role in the folder of --keys; KEY_NONE without --keys. To be
// wiped.
bool ask_key(const struct options *options, enum key_role role, struct key *out,
             struct err *err);

#endif
