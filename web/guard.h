// guard: who may ask, and what a stranger's page may not make a browser do.
//
// Two ways to be let in:
//
//   without a token   the server listens on loopback alone, and whoever uses
//                     this machine may ask. Only names of loopback are taken as
//                     Host, so that a page of the network whose name is made to
//                     point here (DNS rebinding) gets nothing
//   with a token      `Authorization: Bearer TOKEN` for programs, or the cookie
//                     that a login sets for a browser (HttpOnly, SameSite=
//                     Strict; it says nothing of the token and ends with the
//                     server)
//
// A request that changes something must be meant by whoever sends it:
//
//   * an Origin, where there is one, is this server's own
//   * Sec-Fetch-Site, where there is one, says same-origin
//   * the body is application/json, which no form of another site can send
//   * a browser adds X-Promptcc-Csrf with the word that /api/v1/session tells
//     pages of this server alone
//
// Immutable once made: any thread.

#ifndef WEB_GUARD_H
#define WEB_GUARD_H

#include <stdbool.h>

#include "common/err.h"
#include "http/server.h"

struct guard;

enum { GUARD_WORD_BYTES = 33 }; // of a cookie's or CSRF word, in hex

// token_path: NULL is without a token, which is for loopback alone (the caller
// has seen to it). The file is made, with a new token and for its owner's eyes
// only, when it is not there. ERR_INPUT: it is open to others, or short.
struct guard *guard_new(const char *token_path, struct err *err);
void guard_free(struct guard *guard); // NULL is fine

bool guard_has_token(const struct guard *guard);

// Whether the request comes to a name that is ours. Else reply says why not.
bool guard_host(const struct guard *guard, const struct http_request *request,
                struct http_reply *reply);

// Whether whoever asks may see anything.
bool guard_knows(const struct guard *guard, const struct http_request *request);

// Whether the request may change something. Else reply says why not.
bool guard_means_it(const struct guard *guard,
                    const struct http_request *request,
                    struct http_reply *reply);

// The word for X-Promptcc-Csrf.
const char *guard_csrf(const struct guard *guard);

// Whether this is the token; then reply gets the cookie.
bool guard_login(const struct guard *guard, const struct http_request *request,
                 const char *token, struct http_reply *reply);
void guard_logout(const struct guard *guard, const struct http_request *request,
                  struct http_reply *reply);

// The headers of every reply: what a page may load and do.
void guard_dress(struct http_reply *reply);

#endif
