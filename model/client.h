// client: what a client of a model server is made of, for model.c (calls) and
// probe.c (what the server says of itself). Others see model.h alone.

#ifndef MODEL_CLIENT_H
#define MODEL_CLIENT_H

#include <curl/curl.h>

#include "model/exchange.h"

enum { CLIENT_URL_BYTES = 640 };

struct model_client {
    struct model_address address;
    const struct model_backend *backend;
    CURLM *multi;               // owned
    struct curl_slist *headers; // owned
    char chat_url[CLIENT_URL_BYTES];
    char embed_url[CLIENT_URL_BYTES];
    struct exchange *open; // libcurl works on them
    struct exchange *done; // oldest first
    struct exchange **done_end;
    struct exchange *idle; // to be used again
    size_t n_open;
    bool told_of_format;   // that the server takes none
    bool told_of_logprobs; // that the server gives none
};

#endif
