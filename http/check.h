// check: which requests are refused before a handler sees them.
//
// Private to this room.

#ifndef HTTP_CHECK_H
#define HTTP_CHECK_H

#include <stddef.h>

#include <microhttpd.h>

#include "common/buf.h"
#include "common/err.h"

// Checks the headers of a request whose body may have max bytes. Returns the
// status with which it is refused, with err; 0 if it is not.
unsigned check_head(struct MHD_Connection *connection, size_t max,
                    struct err *err);

// The same for a request that has arrived whole, with its decoded path.
unsigned check_whole(struct MHD_Connection *connection, const char *path,
                     const struct buf *body, struct err *err);

// Decodes %XX in place, for MHD_OPTION_UNESCAPE_CALLBACK, so that check_whole
// notices a NUL.
size_t check_unescape(void *user, struct MHD_Connection *connection,
                      char *text);

#endif
