#include "search/session/note.h"

#include <errno.h>
#include <stdatomic.h>

#include <zmq.h>

// ZeroMQ hands a note from one thread to another with all the ordering that is
// needed, but inside a library that the thread sanitizer cannot see into. This
// counter states the same in C's own terms: everything written before a send
// happens before what follows the receive. It costs one uncontended write per
// task.
static atomic_uint handed_over;

bool note_send(void *socket, const struct note *note)
{
    int sent;

    atomic_fetch_add_explicit(&handed_over, 1, memory_order_release);
    do
        sent = zmq_send(socket, note, sizeof *note, 0);
    while (sent < 0 && errno == EINTR);
    return sent == (int)sizeof *note;
}

static bool receive(void *socket, struct note *note, int flags)
{
    int got;

    do
        got = zmq_recv(socket, note, sizeof *note, flags);
    while (got < 0 && errno == EINTR);
    atomic_load_explicit(&handed_over, memory_order_acquire);
    return got == (int)sizeof *note;
}

bool note_receive(void *socket, struct note *note)
{
    return receive(socket, note, ZMQ_DONTWAIT);
}

bool note_await(void *socket, struct note *note)
{
    return receive(socket, note, 0);
}
