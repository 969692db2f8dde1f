// sim_api: the table of routes.

#ifndef SIMULATED_SIM_API_H
#define SIMULATED_SIM_API_H

#include "simulated/sim_exchange.h"

// Answers a request: fills in status, type, reply, ending and record. The
// caller releases the reply, and adds the record to the tally once the reply is
// on its way.
void sim_api_answer(struct sim_service *service, struct sim_exchange *exchange);

#endif
