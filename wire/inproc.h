// inproc: names for sockets that are met inside this process.
//
// ZeroMQ frees a name some time after zmq_close, in a thread of its own. A name
// made of the owner's address is therefore no good: who is freed and made again
// may get the same memory, and finds its name taken ("Address already in use").

#ifndef WIRE_INPROC_H
#define WIRE_INPROC_H

enum { INPROC_NAME_BYTES = 48 };

// An endpoint, as in "inproc://gate-7", that nobody in this process had before.
// `what` is of at most 20 bytes. Any thread.
void inproc_name(char name[static INPROC_NAME_BYTES], const char *what);

#endif
