// reach: how a request gets to the server of a URL: through which proxy, which
// certificates are trusted, and how long a silent name server is waited for.
//
// The environment decides, by the usual names. A proxy comes from http_proxy,
// https_proxy, all_proxy and no_proxy, as libcurl reads them, but is never used
// for this machine itself. SSL_CERT_FILE replaces the system's certificates,
// for a lab that has its own CA and no one with root access.

#ifndef MODEL_REACH_H
#define MODEL_REACH_H

#include <stdbool.h>

#include <curl/curl.h>

// Returns the port of a server on this machine (localhost, 127.x.x.x, [::1]),
// or 0 for a URL of any other machine.
int reach_local_port(const char *url);

// Sets up easy for requests to url. With `direct`, no proxy is used, whatever
// the environment says.
bool reach_set_up(CURL *easy, const char *url, bool direct);

// Says what to do about a failed request, such as "is it running?", to be put
// after what went wrong and where.
const char *reach_remedy(CURLcode code);

#endif
