// ask: one question to a coordinator elsewhere (--coordinator).

#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/options.h"
#include "common/err.h"

// The reply to verb about job ("" for none) with a JSON argument or "". New
// reference; NULL with err: no coordinator there, or its own words.
json_t *ask_coordinator(const struct options *options, const char *verb,
                        const char *job, const char *argument, struct err *err);

// --coordinator, checked: ERR_INPUT with what to do when it is missing or no
// address. Borrowed.
const char *ask_endpoint(const struct options *options, struct err *err);

#endif
