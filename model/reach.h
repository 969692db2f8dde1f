// reach: how a request gets to the server of a URL: past which proxy, and
// whose certificates are believed.
//
// The environment decides, by the names that other programs read: a proxy from
// http_proxy, https_proxy, all_proxy and no_proxy, as libcurl reads them, but
// never for this machine itself; and certificates from SSL_CERT_FILE in place
// of the system's, for a lab with a CA of its own and nobody who is root.

#ifndef MODEL_REACH_H
#define MODEL_REACH_H

#include <stdbool.h>

#include <curl/curl.h>

// The port of a server on this machine (localhost, 127.x.x.x, [::1]); 0 for a
// URL of any other.
int reach_local_port(const char *url);

// For every request of easy to url. direct: past no proxy, whatever the
// environment says.
bool reach_set_up(CURL *easy, const char *url, bool direct);

// What to do about a request that failed: "is it running?", to stand behind
// what went wrong and where.
const char *reach_remedy(CURLcode code);

#endif
