// inproc: names for sockets that are used inside this process.
//
// ZeroMQ frees a name some time after zmq_close, in a thread of its own. So a
// name must not be made from the owner's address: an owner that is freed and
// created again may get the same memory, and would find its name taken
// ("Address already in use").

#ifndef WIRE_INPROC_H
#define WIRE_INPROC_H

enum { INPROC_NAME_BYTES = 48 };

// Writes an endpoint, such as "inproc://gate-7", that nobody in this process
// has used before. `what` has at most 20 bytes. Any thread may call this.
void inproc_name(char name[static INPROC_NAME_BYTES], const char *what);

#endif
