// token: the word that programs and browsers of other machines have to know.
//
// It stands in a file that only its owner may read, and is sent as
// `Authorization: Bearer TOKEN`. Memory holds a hash of it alone. Immutable
// once made: any thread.

#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include <stdbool.h>

#include "common/err.h"
#include "http/server.h"

struct http_token;

// The file is made, with a new token and for its owner's eyes only, when it is
// not there. ERR_INPUT: it is open to others, or short.
struct http_token *http_token_new(const char *path, struct err *err);
void http_token_free(struct http_token *token); // NULL is fine

// Whether text is the token. Takes the same time for every wrong one.
bool http_token_is(const struct http_token *token, const char *text);

// Whether the request brings it.
bool http_token_comes_with(const struct http_token *token,
                           const struct http_request *request);

#endif
