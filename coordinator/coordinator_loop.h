// coordinator_loop: the loop of a coordinator, one turn after another
// (coordinator.h draws a turn).

#ifndef COORDINATOR_COORDINATOR_LOOP_H
#define COORDINATOR_COORDINATOR_LOOP_H

// Runs the loop of a struct coordinator whose parts are open, until it was told
// to stop and nothing is left to do. Returns NULL: it is the thread's function.
void *coordinator_loop(void *coordinator);

#endif
