#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "common/text.h"
#include "model/model.h"
#include "model/reach.h"

enum { SLOTS_MAX = 1024 };

static bool refuse(const char *text, const char *why, struct err *err)
{
    err_set(err, ERR_INPUT,
            "\"%s\" is not the address of a model server: %s; an example is "
            "http://localhost:11434,slots=2",
            text, why);
    return false;
}

static bool read_slots(const char *text, int *out)
{
    char *end = NULL;
    long value = 0;

    if (strncmp(text, "slots=", 6) != 0 || text[6] < '0' || text[6] > '9')
        return false;
    value = strtol(text + 6, &end, 10);
    if (*end != '\0' || value < 1 || value > SLOTS_MAX)
        return false;
    *out = (int)value;
    return true;
}

// Returns true if the URL does not have that part.
static bool lacks(CURLU *url, CURLUPart part)
{
    char *value = NULL;
    bool none = curl_url_get(url, part, &value, 0) != CURLUE_OK;

    curl_free(value);
    return none;
}

static const char *find_fault(const char *text)
{
    CURLU *url = curl_url();
    const char *why = NULL;

    if (url == NULL)
        return "there is not enough memory to read it";
    if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
        why = "it begins with neither http:// nor https://";
    else if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK)
        why = "its host or port is malformed";
    else if (!lacks(url, CURLUPART_USER) || !lacks(url, CURLUPART_PASSWORD) ||
             !lacks(url, CURLUPART_QUERY) || !lacks(url, CURLUPART_FRAGMENT))
        why = "it has more than a scheme, host, port and path";
    curl_url_cleanup(url);
    return why;
}

static void cut_end(char *url, const char *end)
{
    size_t len = strlen(url);
    size_t end_len = strlen(end);

    if (len > end_len && strcmp(url + len - end_len, end) == 0)
        url[len - end_len] = '\0';
}

// Removes slashes from the end, and the /v1 that other programs expect there.
static void trim_url(char *url)
{
    while (url[0] != '\0' && url[strlen(url) - 1] == '/')
        cut_end(url, "/");
    cut_end(url, "/v1");
}

bool model_address_parse(const char *backend, const char *text,
                         struct model_address *out, struct err *err)
{
    struct model_address address = {.slots = 1, .keep_alive = "30m"};
    const char *comma = strchr(text, ',');
    size_t len = comma == NULL ? strlen(text) : (size_t)(comma - text);

    if (strlen(backend) >= sizeof address.backend)
        return refuse(text, "its kind is unknown", err);
    memcpy(address.backend, backend, strlen(backend) + 1);
    if (len >= sizeof address.url || !text_is_utf8(text, len))
        return refuse("...", "it is too long, or not text", err);
    memcpy(address.url, text, len);
    address.slots_given = comma != NULL;
    if (comma != NULL && !read_slots(comma + 1, &address.slots))
        return refuse(
            text, "after the comma, only slots=N is allowed, N from 1 to 1024",
            err);
    const char *why = find_fault(address.url);
    if (why != NULL)
        return refuse(text, why, err);
    trim_url(address.url);
    *out = address;
    return true;
}

// Returns what follows host and port.
static const char *path_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = host == NULL ? NULL : strchr(host + 3, '/');

    return path == NULL ? "" : path;
}

bool model_address_same(const struct model_address *one,
                        const struct model_address *other)
{
    int port = reach_local_port(one->url);

    return strcasecmp(one->url, other->url) == 0 ||
           (port != 0 && port == reach_local_port(other->url) &&
            strcmp(path_of(one->url), path_of(other->url)) == 0);
}

bool model_keep_alive(struct model_address *address, const char *text,
                      struct err *err)
{
    int64_t ms = 0;

    if (strlen(text) < sizeof address->keep_alive &&
        (strcmp(text, "0") == 0 || strcmp(text, "-1") == 0 ||
         text_duration_ms(text, &ms))) {
        memcpy(address->keep_alive, text, strlen(text) + 1);
        return true;
    }
    err_set(err, ERR_INPUT,
            "--keep-alive cannot be `%.40s`: it takes a time such as 30m, or 0 "
            "to unload at once, or -1 to never unload",
            text);
    return false;
}
