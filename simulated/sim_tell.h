// sim_tell: which models the stand-in has, and the routes that only describe
// it.

#ifndef SIMULATED_SIM_TELL_H
#define SIMULATED_SIM_TELL_H

#include "simulated/sim_exchange.h"

// Returns true if there is a model of that name.
bool sim_models_has(const struct sim_service *service, const char *name);

// Returns true if it thinks before it answers, unless it is told not to.
bool sim_models_thinks(const char *name);

// Routes; each fills in the reply.
void sim_tell_root(struct sim_service *service, struct sim_exchange *exchange);
void sim_tell_version(struct sim_service *service,
                      struct sim_exchange *exchange);
void sim_tell_tags(struct sim_service *service, struct sim_exchange *exchange);
void sim_tell_ps(struct sim_service *service, struct sim_exchange *exchange);
void sim_tell_openai_models(struct sim_service *service,
                            struct sim_exchange *exchange);
void sim_tell_props(struct sim_service *service, struct sim_exchange *exchange);
void sim_tell_health(struct sim_service *service,
                     struct sim_exchange *exchange);
void sim_tell_stats(struct sim_service *service, struct sim_exchange *exchange);
void sim_tell_show(struct sim_service *service, struct sim_exchange *exchange);

#endif
