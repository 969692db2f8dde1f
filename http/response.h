// response: a reply as libmicrohttpd sends it.
//
// Private to this room. Call on the connection's thread.

#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include <microhttpd.h>

#include "common/err.h"
#include "http/crowd.h"
#include "http/reply.h"

// Sends the reply, or, if that is not possible, an error that says why. Takes
// the bytes of its body; the stream that it has instead is closed in any case.
// Returning MHD_NO to the library closes the connection.
enum MHD_Result response_send(struct MHD_Connection *connection,
                              struct crowd *crowd, struct http_reply *reply);

// Sends an error instead of a handler's reply, and closes the connection.
enum MHD_Result response_send_error(struct MHD_Connection *connection,
                                    unsigned status, const struct err *err);

#endif
