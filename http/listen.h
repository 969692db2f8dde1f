// listen: the socket that a server listens on.

#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "common/err.h"
#include "http/address.h"

// Returns a socket that listens there, which the caller closes; address gets
// the actual port if it was 0. If the port is in use, it is tried again for a
// second. Returns -1 with ERR_BUSY if it stays in use, and with ERR_INPUT if
// this machine has no such address.
int http_listen(struct http_address *address, struct err *err);

#endif
