#include "http/response.h"

#include <stdlib.h>
#include <string.h>

#include "common/error_document.h"
#include "common/log.h"
#include "http/flow.h"

static struct MHD_Response *body_response(struct http_reply *reply)
{
    size_t len = reply->body.len;
    char *data = buf_take(&reply->body);

    if (data == NULL)
        return NULL;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(data);
    return response;
}

static struct MHD_Response *make_response(struct crowd *crowd,
                                          struct http_reply *reply)
{
    if (reply->stream.next != NULL)
        return flow_response(crowd, &reply->stream);
    if (reply->fixed != NULL)
        return MHD_create_response_from_buffer(
            reply->fixed_len, (void *)reply->fixed, MHD_RESPMEM_PERSISTENT);
    return body_response(reply);
}

enum MHD_Result response_send_error(struct MHD_Connection *connection,
                                    unsigned status, const struct err *err)
{
    char *document = error_document(err);

    if (document == NULL)
        return MHD_NO;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(document), document, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(document);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  "application/json");
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION,
                                  "close");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result response_send(struct MHD_Connection *connection,
                              struct crowd *crowd, struct http_reply *reply)
{
    bool streams = reply->stream.next != NULL;
    struct err err = ERR_CLEAR;

    if (reply->body.failed) {
        err_set(&err, ERR_LIMIT, "the answer is too long: ask for less of it");
        log_warn("request-failed", "500: %s", err.text);
        return response_send_error(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
                                   &err);
    }
    struct MHD_Response *response = make_response(crowd, reply);
    if (response == NULL && streams)
        err_set(&err, ERR_BUSY, "too many pages are already following this");
    else if (response == NULL)
        err_nomem(&err, "the answer");
    if (response == NULL)
        return response_send_error(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                   &err);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  reply->type);
    for (size_t i = 0; i < reply->n_headers; i++)
        (void)MHD_add_response_header(response, reply->headers[i].name,
                                      reply->headers[i].value);
    enum MHD_Result result =
        MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}
