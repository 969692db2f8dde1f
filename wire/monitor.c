#include "wire/monitor.h"

#include <string.h>

#include <zmq.h>

#include "wire/inproc.h"

enum { ENDPOINT_BYTES = 256 };

void *monitor_open(void *context, void *handle, int events)
{
    char endpoint[INPROC_NAME_BYTES];
    void *monitor;

    inproc_name(endpoint, "monitor");
    if (zmq_socket_monitor(handle, endpoint, events) != 0)
        return NULL;
    monitor = zmq_socket(context, ZMQ_PAIR);
    if (monitor != NULL && zmq_connect(monitor, endpoint) == 0)
        return monitor;
    monitor_close(handle, monitor);
    return NULL;
}

void monitor_close(void *handle, void *monitor)
{
    (void)zmq_socket_monitor(handle, NULL, 0);
    if (monitor != NULL)
        zmq_close(monitor);
}

// An event has two frames: number and value, then the endpoint.
bool monitor_take(void *monitor, struct monitor_event *out)
{
    uint8_t head[sizeof out->number + sizeof out->value];
    char endpoint[ENDPOINT_BYTES];

    if (zmq_recv(monitor, head, sizeof head, ZMQ_DONTWAIT) < 0)
        return false;
    (void)zmq_recv(monitor, endpoint, sizeof endpoint, 0);
    memcpy(&out->number, head, sizeof out->number);
    memcpy(&out->value, head + sizeof out->number, sizeof out->value);
    return true;
}
