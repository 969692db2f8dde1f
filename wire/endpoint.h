// endpoint: which of a name's addresses has a listener, and why none has.
//
// ZeroMQ connects only to the first address of a name. On Debian the first one
// for localhost is ::1, where a coordinator at 127.0.0.1 does not listen, and
// the name of a machine with two networks has two addresses.

#ifndef WIRE_ENDPOINT_H
#define WIRE_ENDPOINT_H

#include <stdbool.h>

enum { ENDPOINT_BYTES = 320, ENDPOINT_REASON_BYTES = 80 };

// Finds what to connect to in place of `endpoint`. That is the same endpoint,
// unless it is tcp:// and a name with several addresses. Then it is the first
// address that accepts a connection within 300 ms, or an IPv4 address if none
// does. Waits for the resolver, and for at most four addresses.
void endpoint_find(const char *endpoint, char out[ENDPOINT_BYTES]);

// Explains why no coordinator may be heard at `endpoint`, as the end of a
// sentence that has just named it. For example: " (nothing listens at that
// port)", or that the name has no address, no machine answers, or something
// else listens there. The result is "" if `endpoint` is not tcp://. Waits like
// endpoint_find.
void endpoint_explain(const char *endpoint, char out[ENDPOINT_REASON_BYTES]);

// Returns true if somebody accepts a connection there, and then says nothing,
// not even to the empty lines of a confused client. That may be a coordinator
// that is halted; other servers, such as those of HTTP, hang up or complain.
// Waits like endpoint_find, and 300 ms for the answer.
bool endpoint_is_silent(const char *endpoint);

#endif
