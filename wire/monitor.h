// monitor: what ZeroMQ tells of a socket's connections.
//
// Events of zmq_socket_monitor, taken without blocking by the socket's owner.

#ifndef WIRE_MONITOR_H
#define WIRE_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

// A PAIR on which the events of the mask arrive; NULL with zmq_errno.
void *monitor_open(void *context, void *handle, int events);
// Before the watched socket is closed. monitor may be NULL.
void monitor_close(void *handle, void *monitor);

struct monitor_event {
    uint16_t number; // ZMQ_EVENT_...
    uint32_t value;  // a descriptor, or why
};

// False: there is none now.
bool monitor_take(void *monitor, struct monitor_event *out);

#endif
