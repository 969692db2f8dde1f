// For POLLRDHUP, which tells whether the other side has closed.
#define _GNU_SOURCE

#include "http/request.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#include "common/loopback.h"
#include "common/text.h"

const char *http_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                       name);
}

static bool is_port_or_end(const char *text)
{
    return *text == '\0' ||
           (*text == ':' && text[1 + strspn(text + 1, "0123456789")] == '\0');
}

bool http_host_is_loopback(const struct http_request *request)
{
    const char *host = http_header(request, "Host");

    if (host == NULL)
        return false;
    size_t len = strcspn(host, host[0] == '[' ? "]" : ":");
    len += host[len] == ']';
    return is_port_or_end(host + len) && loopback_host(host, len);
}

bool http_is_json(const struct http_request *request)
{
    const char *type = http_header(request, "Content-Type");

    return type != NULL && strncasecmp(type, "application/json", 16) == 0 &&
           strchr("; ", type[16]) != NULL;
}

bool http_is_gone(const struct http_request *request)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (info == NULL)
        return false;
    // The client's next request may precede the end; POLLRDHUP sees the end
    // anyway.
    struct pollfd item = {.fd = info->connect_fd, .events = POLLRDHUP};
    return poll(&item, 1, 0) > 0;
}

const char *http_query(const struct http_request *request, const char *name)
{
    const char *value = MHD_lookup_connection_value(
        request->connection, MHD_GET_ARGUMENT_KIND, name);

    return value != NULL && text_is_utf8(value, strlen(value)) ? value : NULL;
}

struct names {
    bool (*each)(void *user, const char *name);
    void *user;
};

static enum MHD_Result take_name(void *cls, enum MHD_ValueKind kind,
                                 const char *name, const char *value)
{
    struct names *names = cls;

    (void)kind;
    (void)value;
    return names->each(names->user, name) ? MHD_YES : MHD_NO;
}

void http_query_names(const struct http_request *request,
                      bool (*each)(void *user, const char *name), void *user)
{
    struct names names = {.each = each, .user = user};

    (void)MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND,
                                    take_name, &names);
}
