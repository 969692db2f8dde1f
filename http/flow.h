// flow: a stream while it is sent.
//
// libmicrohttpd reads from it, on the connection's thread, whenever the client
// can take more. Private to this room.

#ifndef HTTP_FLOW_H
#define HTTP_FLOW_H

#include <microhttpd.h>

#include "http/crowd.h"
#include "http/reply.h"

// Takes one of the crowd's streams until the response is gone. Returns NULL if
// none is free, or when out of memory. The stream is closed in any case: here
// on failure, otherwise at its end.
struct MHD_Response *flow_response(struct crowd *crowd,
                                   const struct http_stream *stream);

#endif
