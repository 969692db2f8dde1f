#include "wire/zap.h"

#include <stdint.h>
#include <string.h>

#include <zmq.h>

enum { KEY_RAW_BYTES = 32 };

bool zap_receive(void *socket, struct zap_request *out)
{
    int more = 1;
    size_t size = sizeof more;

    *out = (struct zap_request){0};
    for (size_t i = 0; more; i++) {
        char rest[ZAP_FRAME_BYTES];
        char *frame = i < ZAP_FRAMES ? out->frames[i] : rest;
        int len = zmq_recv(socket, frame, ZAP_FRAME_BYTES - 1, 0);

        if (len < 0)
            return false;
        if (i < ZAP_FRAMES) {
            out->lens[i] = (size_t)len < ZAP_FRAME_BYTES - 1
                               ? (size_t)len
                               : ZAP_FRAME_BYTES - 1;
            out->n = i + 1;
        }
        if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) != 0)
            return false;
    }
    return true;
}

bool zap_public_key(const struct zap_request *request,
                    char public_key[KEY_BYTES])
{
    return request->n > ZAP_KEY &&
           strcmp(request->frames[ZAP_MECHANISM], "CURVE") == 0 &&
           request->lens[ZAP_KEY] == KEY_RAW_BYTES &&
           zmq_z85_encode(public_key, (const uint8_t *)request->frames[ZAP_KEY],
                          KEY_RAW_BYTES) != NULL;
}

static void send_reply(void *socket, const struct zap_request *request,
                       const char *status, const char *text, const char *user)
{
    (void)zmq_send(socket, request->frames[ZAP_VERSION],
                   request->lens[ZAP_VERSION], ZMQ_SNDMORE);
    (void)zmq_send(socket, request->frames[ZAP_REQUEST],
                   request->lens[ZAP_REQUEST], ZMQ_SNDMORE);
    (void)zmq_send(socket, status, strlen(status), ZMQ_SNDMORE);
    (void)zmq_send(socket, text, strlen(text), ZMQ_SNDMORE);
    (void)zmq_send(socket, user, strlen(user), ZMQ_SNDMORE);
    (void)zmq_send(socket, "", 0, 0);
}

void zap_allow(void *socket, const struct zap_request *request,
               const char *user)
{
    send_reply(socket, request, "200", "OK", user);
}

void zap_refuse(void *socket, const struct zap_request *request,
                const char *why)
{
    send_reply(socket, request, "400", why, "");
}

const char *zap_address(const struct zap_request *request)
{
    return request->frames[ZAP_ADDRESS];
}
