#include "http/flow.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    FLOW_BYTES = 1 << 20, // of a stream, waiting to be sent
    BLOCK_BYTES = 16 << 10,
};

struct flow {
    struct crowd *crowd; // borrowed
    struct http_stream stream;
    struct buf waiting; // to be sent
    size_t at;          // how much of it has been sent
};

static ssize_t read_flow(void *user, uint64_t position, char *out, size_t max)
{
    struct flow *flow = user;

    (void)position;
    while (flow->at == flow->waiting.len) {
        buf_clear(&flow->waiting);
        flow->at = 0;
        if (crowd_is_closed(flow->crowd) ||
            !flow->stream.next(flow->stream.user, &flow->waiting) ||
            flow->waiting.failed)
            return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t n = flow->waiting.len - flow->at;
    n = n < max ? n : max;
    memcpy(out, flow->waiting.data + flow->at, n);
    flow->at += n;
    return (ssize_t)n;
}

static void free_flow(void *user)
{
    struct flow *flow = user;

    crowd_leave_stream(flow->crowd);
    flow->stream.close(flow->stream.user);
    buf_release(&flow->waiting);
    free(flow);
}

struct MHD_Response *flow_response(struct crowd *crowd,
                                   const struct http_stream *stream)
{
    struct flow *flow = calloc(1, sizeof *flow);

    if (flow == NULL || !crowd_take_stream(crowd)) {
        free(flow);
        stream->close(stream->user);
        return NULL;
    }
    flow->crowd = crowd;
    flow->stream = *stream;
    flow->waiting = BUF_INIT(FLOW_BYTES);
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_flow, flow, free_flow);
    if (response == NULL)
        free_flow(flow);
    return response;
}
