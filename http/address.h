// address: where an HTTP server listens, "HOST:PORT".

#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include <stdbool.h>

#include <sys/socket.h>

#include "common/err.h"

struct http_address {
    struct sockaddr_storage at;
    socklen_t len;
    bool loopback; // only programs of this machine reach it
};

enum { HTTP_ADDRESS_TEXT = 80 };

// Reads "127.0.0.1:8070", "[::1]:8070", "localhost:8070", "0.0.0.0:0" (port 0
// picks a free one). ERR_INPUT: the message says what is accepted.
bool http_address_read(const char *text, struct http_address *out,
                       struct err *err);

// Prints the address as people type it: "127.0.0.1:8070", "[::1]:8070".
void http_address_print(const struct http_address *address,
                        char out[HTTP_ADDRESS_TEXT]);

#endif
