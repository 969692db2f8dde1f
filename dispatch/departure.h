// departure: what becomes of the calls of a worker that is not heard any more,
// or that has left.
//
// Its calls go elsewhere at once, and nobody is to blame (blame.h).

#ifndef DISPATCH_DEPARTURE_H
#define DISPATCH_DEPARTURE_H

#include <stdint.h>

#include "dispatch/dispatch_state.h"

// Marks the worker as silent and sends its calls elsewhere. If it answers one
// after all, that still counts.
void departure_silent(struct dispatch *dispatch, struct dispatch_worker *worker,
                      int64_t now);

// Removes the worker; its calls come back. The caller frees it.
void departure_gone(struct dispatch *dispatch, struct dispatch_worker *worker,
                    int64_t now);

#endif
