#include "coordinator/note.h"

#include <errno.h>

#include <zmq.h>

bool note_send(void *socket, const struct note *note)
{
    int sent;

    do
        sent = zmq_send(socket, note, sizeof *note, 0);
    while (sent < 0 && errno == EINTR);
    return sent == (int)sizeof *note;
}

bool note_receive(void *socket, struct note *note, bool wait)
{
    int got;

    do
        got = zmq_recv(socket, note, sizeof *note, wait ? 0 : ZMQ_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got == (int)sizeof *note;
}
