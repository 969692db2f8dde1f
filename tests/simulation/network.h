// network: the wire between the programs, inside the machine.
//
// Replaces wire/socket.h and wire/connections.h: the same functions, over links
// of this file instead of ZeroMQ's. A frame that is sent arrives as an event
// some time later: once, more than once, out of order, or not at all. Without
// faults a link keeps the order, as TCP does.

#ifndef TESTS_SIMULATION_NETWORK_H
#define TESTS_SIMULATION_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/message.h"

struct network_faults {
    int64_t delay_us; // the longest delay of a frame
    double lost;      // share of frames
    double twice;
    double late; // out of their order
};

// Starts empty, and without faults.
void network_start(void);
void network_set_faults(const struct network_faults *faults);

// Kills the listener: nothing that it says from now on is heard, nothing
// reaches it, and its address is free.
void network_kill(const char *endpoint);
// Does the same to the sockets that a process has now.
void network_kill_process(int process);

// Cuts the link of one connected socket, chosen at random, for us microseconds.
// What is sent meanwhile arrives later, or never.
void network_cut_one(int64_t us);
// Does the same to every link.
void network_cut_all(int64_t us);
void network_heal(void);

// Sets a function that is called for every message that the living listener
// sends.
void network_on_send(void (*sent)(const struct message *message));

// Sets a function that is called for every message that anyone sends. If it
// returns true, the message never arrives.
void network_on_loss(bool (*is_lost)(const struct message *message));

// For model_poll: returns whether a frame has arrived for the socket with this
// descriptor.
bool network_readable(int fd);

#endif
