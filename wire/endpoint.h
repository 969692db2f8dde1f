// endpoint: which of a name's addresses somebody listens at.
//
// ZeroMQ connects to the first address of a name and to no other. On Debian
// that of localhost is ::1, where a coordinator at 127.0.0.1 is not; a machine
// with two networks has a name with two addresses.

#ifndef WIRE_ENDPOINT_H
#define WIRE_ENDPOINT_H

enum { ENDPOINT_BYTES = 320 };

// What to connect to in place of endpoint: the same, unless it is tcp:// with a
// name of several addresses. Then it is the first at which a connection stands
// within 300 ms, and where none does, one of IPv4. Waits for the resolver, and
// for at most four addresses.
void endpoint_find(const char *endpoint, char out[ENDPOINT_BYTES]);

#endif
