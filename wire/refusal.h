// refusal: why a coordinator does not let us in.
//
// A refused handshake shows only in the events of ZeroMQ's monitor, and a
// socket that is in use has none. So this knocks once more, with a socket of
// its own.

#ifndef WIRE_REFUSAL_H
#define WIRE_REFUSAL_H

#include <stdbool.h>

#include "common/err.h"
#include "wire/key.h"

// Explains why nobody answers at the endpoint, if that is because of keys: one
// side has one and the other does not, or it is not allowed (ERR_INPUT).
// Connects there once more, with `key` (NULL or KEY_NONE: in the clear), and
// waits up to two seconds. Returns false if it is something else, for example
// because nobody listens there; err is untouched then.
bool refusal_explain(void *context, const char *endpoint, const struct key *key,
                     struct err *err);

#endif
