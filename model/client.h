// client: the inside of a client of a model server, for model.c (calls) and
// probe.c (what the server reports about itself). All others include only
// model.h.

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
    struct exchange *open; // libcurl is working on them
    struct exchange *done; // oldest first
    struct exchange **done_end;
    struct exchange *idle; // for reuse
    size_t n_open;
    bool warned_of_format;   // it was logged that the server takes none
    bool warned_of_logprobs; // it was logged that the server gives none
};

#endif
