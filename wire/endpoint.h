// endpoint: which of a name's addresses somebody listens at, and why at none.
//
// ZeroMQ connects to the first address of a name and to no other. On Debian
// that of localhost is ::1, where a coordinator at 127.0.0.1 is not; a machine
// with two networks has a name with two addresses.

#ifndef WIRE_ENDPOINT_H
#define WIRE_ENDPOINT_H

enum { ENDPOINT_BYTES = 320, ENDPOINT_REASON_BYTES = 80 };

// What to connect to in place of endpoint: the same, unless it is tcp:// with a
// name of several addresses. Then it is the first at which a connection stands
// within 300 ms, and where none does, one of IPv4. Waits for the resolver, and
// for at most four addresses.
void endpoint_find(const char *endpoint, char out[ENDPOINT_BYTES]);

// Why no coordinator may be heard at endpoint, for a sentence that has just
// named it: " (nothing listens at that port)", or that its name has no address,
// no machine answers, or that something else listens there. "" where endpoint
// is not tcp://. Waits as endpoint_find does.
void endpoint_explain(const char *endpoint, char out[ENDPOINT_REASON_BYTES]);

#endif
