// monitor: what ZeroMQ reports about a socket's connections.
//
// The events of zmq_socket_monitor, read without blocking by the socket's
// owner.

#ifndef WIRE_MONITOR_H
#define WIRE_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

// Returns a PAIR socket on which the events of the mask arrive, or NULL with
// zmq_errno.
void *monitor_open(void *context, void *handle, int events);
// Call it before the watched socket is closed. `monitor` may be NULL.
void monitor_close(void *handle, void *monitor);

struct monitor_event {
    uint16_t number; // ZMQ_EVENT_...
    uint32_t value;  // a descriptor, or a reason
};

// Returns false if there is no event now.
bool monitor_take(void *monitor, struct monitor_event *out);

#endif
