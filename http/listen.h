// listen: the socket that a server listens on.

#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "common/err.h"
#include "http/address.h"

// A socket that listens there, which is the caller's to close; address gets the
// port that was picked for 0. A port in use is asked for again for a second. -1
// with ERR_BUSY: it is in use; with ERR_INPUT: no such address here.
int http_listen(struct http_address *address, struct err *err);

#endif
