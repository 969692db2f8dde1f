// sim_write: writes an answer as a reply, in the forms of both APIs, whole or
// in pieces.

#ifndef SIMULATED_SIM_WRITE_H
#define SIMULATED_SIM_WRITE_H

#include "simulated/sim_chat.h"

// Write the reply to chat->exchange, with the fault that was drawn, and record
// how it ended.
void sim_write_answer(struct sim_chat *chat);
void sim_write_embeddings(struct sim_chat *chat);

#endif
