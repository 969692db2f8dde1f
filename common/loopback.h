// loopback: whether an address is one that this machine alone reaches.
//
// These are 127.0.0.0/8, ::1, and the name localhost. What comes from there, or
// goes there, is trusted further: it needs no token or keys, and passes no
// proxy. So no other name is looked up: what it stands for may change between
// the question and the use of the answer.

#ifndef COMMON_LOOPBACK_H
#define COMMON_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>

struct sockaddr;

// The first len bytes of host, as URLs write it: "127.0.0.2", "localhost" in
// any case, "[::1]".
bool loopback_host(const char *host, size_t len);

// An address of IPv4 or IPv6; none of another family is.
bool loopback_address(const struct sockaddr *at);

#endif
