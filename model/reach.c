#include "model/reach.h"

#include <stdlib.h>
#include <string.h>

#include "common/loopback.h"

int reach_local_port(const char *url)
{
    CURLU *parts = curl_url();
    char *host = NULL;
    char *port = NULL;
    int found = 0;

    if (parts != NULL &&
        curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
            CURLUE_OK &&
        loopback_host(host, strlen(host)))
        found = atoi(port);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return found;
}

// A request that has run out of time ends then. Otherwise libcurl would wait
// for the thread in which the system still looks for the host, for as long as
// the name servers are silent: 10 s for each of them, and for each search
// domain. The thread cleans up after itself.
static bool leave_resolver(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075700
    return curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
#else
    (void)easy;
    return true;
#endif
}

bool reach_set_up(CURL *easy, const char *url, bool direct)
{
    const char *trusted = getenv("SSL_CERT_FILE");

    if (!leave_resolver(easy))
        return false;
    if ((direct || reach_local_port(url) != 0) &&
        curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK)
        return false;
    return trusted == NULL || trusted[0] == '\0' ||
           curl_easy_setopt(easy, CURLOPT_CAINFO, trusted) == CURLE_OK;
}

const char *reach_remedy(CURLcode code)
{
    static const struct {
        CURLcode code;
        const char *text;
    } known[] = {
        {CURLE_PEER_FAILED_VERIFICATION, "set SSL_CERT_FILE to the file of the "
                                         "CA that signed its certificate"},
        {CURLE_SSL_CACERT_BADFILE,
         "SSL_CERT_FILE does not name a readable file of certificates"},
        {CURLE_SSL_CONNECT_ERROR, "should the address begin with http://?"},
        {CURLE_GOT_NOTHING,
         "is it running, or should the address begin with https://?"},
        {CURLE_COULDNT_RESOLVE_HOST, "is the name of the host right?"},
        {CURLE_COULDNT_RESOLVE_PROXY,
         "is the proxy of https_proxy or all_proxy right?"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].code == code)
            return known[i].text;
    return "is it running?";
}
