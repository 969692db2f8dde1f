// model: what answerers have in common that ask a model on a worker. The
// order's kind, model, options and prefix are set by then.

#ifndef COORDINATOR_ANSWERERS_MODEL_H
#define COORDINATOR_ANSWERERS_MODEL_H

#include <stdbool.h>

#include "common/err.h"
#include "coordinator/engine.h"
#include "store/calls.h"

// The rest of their rows (answerer.h).
bool model_call_begin(struct flight *flight, struct err *err);
void model_call_cancel(struct engine *engine, struct flight *flight);
bool model_call_record(const struct flight *flight, struct call_put *row,
                       struct err *err);

#endif
