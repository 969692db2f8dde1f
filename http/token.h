// token: the secret that programs and browsers on other machines must know.
//
// It is in a file that only its owner may read, and is sent in the header
// `Authorization: Bearer TOKEN`. Memory holds only a hash of it. Immutable once
// made: call from any thread.

#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include <stdbool.h>

#include "common/err.h"
#include "http/request.h"

struct http_token;

// Reads the token from the file. If the file does not exist, makes it with a
// new token, readable only by its owner. ERR_INPUT: others can read it, or it
// is too short.
struct http_token *http_token_new(const char *path, struct err *err);
void http_token_free(struct http_token *token); // accepts NULL

// Returns true if text is the token. Takes the same time for every wrong one.
bool http_token_is(const struct http_token *token, const char *text);

// Returns true if the request carries the token.
bool http_token_comes_with(const struct http_token *token,
                           const struct http_request *request);

#endif
