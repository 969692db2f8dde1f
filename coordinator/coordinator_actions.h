// coordinator_actions: what dispatch decides, carried out.
//
// Only for coordinator_loop.c. Call only from the loop's thread.

#ifndef COORDINATOR_COORDINATOR_ACTIONS_H
#define COORDINATOR_COORDINATOR_ACTIONS_H

#include <stdint.h>

#include "coordinator/coordinator_state.h"

// Sends, cancels, drops and parks what is due, as far as this turn has time:
// first what workers kept from before they joined (kept_calls.h), and once they
// have gathered, whatever dispatch says.
void coordinator_act(struct coordinator *c, int64_t now);

#endif
