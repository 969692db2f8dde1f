// loopback: tells whether an address can be reached from this machine only.
//
// These are 127.0.0.0/8, ::1, and the name localhost. Traffic from and to them
// is trusted more: it needs no token or keys, and bypasses proxies. No other
// name is looked up, because its address may change between the check and the
// use.

#ifndef COMMON_LOOPBACK_H
#define COMMON_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>

struct sockaddr;

// Checks the first len bytes of host, written as in a URL: "127.0.0.2",
// "localhost" in any case, "[::1]".
bool loopback_host(const char *host, size_t len);

// Checks an IPv4 or IPv6 address; returns false for any other family.
bool loopback_address(const struct sockaddr *at);

#endif
