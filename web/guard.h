// guard: who may use the server, and what a stranger's page may not make a
// browser do.
//
// There are two ways to be let in:
//
//   without a token   the server listens only on loopback, and anybody who uses
//                     this machine may ask. Only names of loopback are accepted
//                     as Host, so that a page of the network whose name is made
//                     to point here (DNS rebinding) gets nothing
//   with a token      `Authorization: Bearer TOKEN` for programs, or the cookie
//                     that a browser gets at login (HttpOnly, SameSite=Strict;
//                     it reveals nothing of the token and expires with the
//                     server)
//
// A request that changes something must be intended by its sender:
//
//   * Origin, if there is one, is this server's own
//   * Sec-Fetch-Site, if there is one, says same-origin
//   * the body is application/json, which no form of another site can send
//   * a browser adds X-Promptcc-Csrf with the word that /api/v1/session tells
//     only to pages of this server
//
// Immutable once made: call from any thread.

#ifndef WEB_GUARD_H
#define WEB_GUARD_H

#include <stdbool.h>

#include "common/err.h"
#include "http/server.h"

struct guard;

enum { GUARD_WORD_BYTES = 33 }; // a cookie's or CSRF word, in hex

// token_path: NULL means without a token, which is only for loopback (the
// caller has made sure of that). If the file does not exist, it is made with a
// new token, readable only by its owner. ERR_INPUT: others can read it, or it
// is too short.
struct guard *guard_new(const char *token_path, struct err *err);
void guard_free(struct guard *guard); // accepts NULL

// Returns true unless the guard was made without a token.
bool guard_has_token(const struct guard *guard);

// Returns true if the request is addressed to a name of loopback or, with a
// token, to any name. If not, reply says why.
bool guard_host(const struct guard *guard, const struct http_request *request,
                struct http_reply *reply);

// Returns true if the sender may see anything.
bool guard_admits(const struct guard *guard,
                  const struct http_request *request);

// Returns true if the request may change something. If not, reply says why.
bool guard_may_change(const struct guard *guard,
                      const struct http_request *request,
                      struct http_reply *reply);

// Returns the word for X-Promptcc-Csrf.
const char *guard_csrf(const struct guard *guard);

// Returns true if this is the token; reply then gets the cookie.
bool guard_login(const struct guard *guard, const struct http_request *request,
                 const char *token, struct http_reply *reply);
void guard_logout(const struct guard *guard, const struct http_request *request,
                  struct http_reply *reply);

// Adds the headers of every reply: what a page may load and do.
void guard_add_headers(struct http_reply *reply);

#endif
