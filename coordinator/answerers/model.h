// model: what the answerers that ask a model on a worker have in common. They
// have set the order's kind, model, options and prefix before.

#ifndef COORDINATOR_ANSWERERS_MODEL_H
#define COORDINATOR_ANSWERERS_MODEL_H

#include <stdbool.h>

#include "common/err.h"
#include "coordinator/engine.h"
#include "store/calls.h"

// The remaining functions of their rows (answerer.h).
bool model_call_begin(struct flight *flight, struct err *err);
void model_call_cancel(struct engine *engine, struct flight *flight);
bool model_call_record(const struct flight *flight, struct call_put *row,
                       struct err *err);

#endif
