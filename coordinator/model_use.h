// model_use: a model from its first user to its last.
//
// Users are jobs, one for each role that asks the model, and messages that
// somebody tries (side_call.h). While a model has users, it has a number
// (models.h), dispatch knows which workers serve it, and those workers have to
// prove themselves for it (proof.h):
//
//              model_use_begin                      model_use_end
//   no number ----------------> number, N users ------------------> no number
//                                                 of the last user
//
// A worker that failed a proof stays unused, whoever joins in. All that is
// known of the model goes with its last user, since the number may be another
// model's next. Call only from the loop's thread.

#ifndef COORDINATOR_MODEL_USE_H
#define COORDINATOR_MODEL_USE_H

#include <stdint.h>

#include "common/err.h"
#include "coordinator/models.h"

struct engine;

// Counts one more user of the model and returns its number. needs says what
// this user needs of a server, NULL: nothing. The needs of the first user that
// names a num_ctx are those of all. Returns -1 when out of memory.
int32_t model_use_begin(struct engine *engine, const char *name,
                        const char *digest, const struct model_needs *needs,
                        int64_t now, struct err *err);

// Counts one user fewer. While calls of the model are in flight, its number
// stays taken even without a user.
void model_use_end(struct engine *engine, int32_t number);

#endif
