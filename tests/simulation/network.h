// network: the wire between the programs, inside the machine.
//
// Takes the place of wire/socket.h and wire/connections.h: the same functions,
// over links of this file instead of ZeroMQ's. A frame that is sent arrives as
// an event, some time later, once, more than once, out of order, or not at all.
// Without faults a link keeps the order, as TCP does.

#ifndef TESTS_SIMULATION_NETWORK_H
#define TESTS_SIMULATION_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/message.h"

struct network_faults {
    int64_t delay_us; // up to so much for each frame
    double lost;      // share of frames
    double twice;
    double late; // not in their order
};

// Empty, and without faults.
void network_start(void);
void network_set_faults(const struct network_faults *faults);

// The listener is killed: nothing that it says from now on is heard, and
// nothing reaches it. Its address is free.
void network_kill(const char *endpoint);
// The same for the sockets that a process has now.
void network_kill_process(int process);

// The link of one connected socket, chosen by chance, is cut for so long. What
// is sent meanwhile comes later, or never.
void network_cut_one(int64_t us);
// The same for every link.
void network_cut_all(int64_t us);
void network_heal(void);

// Told of every message that the living listener sends.
void network_on_send(void (*sent)(const struct message *message));

// Asked about every message that is sent, by whomever: true, and it never
// arrives.
void network_on_loss(bool (*is_lost)(const struct message *message));

// For model_poll: whether a frame has come for the socket with this descriptor.
bool network_readable(int fd);

#endif
