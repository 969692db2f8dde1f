#include "wire/refusal.h"

#include <stdint.h>
#include <string.h>

#include <zmq.h>

#include "common/clock.h"
#include "wire/handle.h"
#include "wire/monitor.h"
#include "wire/socket.h"

enum { EXPLAIN_MS = 2000 }; // for a handshake to fail

// An attempt to connect.
struct knock {
    const char *endpoint;
    const struct key *key; // or NULL
};

// Returns true if the event shows the reason for certain. After these events
// ZeroMQ does not try again.
static bool explain_event(const struct knock *knock,
                          const struct monitor_event *event, struct err *err)
{
    if (event->number == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        err_set(
            err, ERR_INPUT,
            "the coordinator at %.80s does not allow this key: its .pub file "
            "is not in the coordinator's folder `allowed`, or was removed",
            knock->endpoint);
    else if (event->number == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL &&
             event->value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
        err_set(err, ERR_INPUT,
                handle_is_keyed(knock->key)
                    ? "the coordinator at %.80s has no keys: start it with "
                      "--keys DIR, or leave out --keys here"
                    : "the coordinator at %.80s requires a key: use --keys "
                      "DIR, the folder with yours",
                knock->endpoint);
    else
        return false;
    return true;
}

// Reports what it means when the connection is closed again and again.
static void explain_closing(const struct knock *knock, struct err *err)
{
    err_set(
        err, ERR_INPUT,
        handle_is_keyed(knock->key)
            ? "the coordinator at %.70s cannot decrypt what this key sends: it "
              "has no keys (leave out --keys here), or its own key has changed "
              "since this one was made (make a new one there)"
            : "the program at %.80s closes the connection at once, as a "
              "coordinator with keys does: use --keys DIR, the folder with "
              "yours",
        knock->endpoint);
}

// The coordinator may close the connection before its greeting, which says what
// it wants, has arrived. That alone says little, and ZeroMQ tries again.
static bool wait_for_reason(const struct knock *knock, void *monitor,
                            struct err *err)
{
    int64_t end = clock_monotonic_ms() + EXPLAIN_MS;
    zmq_pollitem_t item = {.socket = monitor, .events = ZMQ_POLLIN};
    struct monitor_event event;
    bool closed = false;
    int64_t left;

    while ((left = end - clock_monotonic_ms()) > 0) {
        (void)zmq_poll(&item, 1, (long)left);
        while (monitor_take(monitor, &event)) {
            if (event.number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
                return false; // the door is open: it is something else
            if (explain_event(knock, &event, err))
                return true;
            closed = true;
        }
    }
    if (closed)
        explain_closing(knock, err);
    return closed;
}

bool refusal_explain(void *context, const char *endpoint, const struct key *key,
                     struct err *err)
{
    static const int events =
        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
        ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
        ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    const struct knock knock = {.endpoint = endpoint, .key = key};
    const struct wire_id id = {.len = 7, .bytes = "explain"};
    void *handle = NULL, *monitor = NULL;
    bool found = false;

    if (strncmp(endpoint, "inproc:", 7) == 0)
        return false;
    handle = handle_open_dealer(context, key, &id, NULL);
    if (handle == NULL)
        return false;
    monitor = monitor_open(context, handle, events);
    if (monitor != NULL && zmq_connect(handle, endpoint) == 0)
        found = wait_for_reason(&knock, monitor, err);
    if (monitor != NULL)
        monitor_close(handle, monitor);
    zmq_close(handle);
    return found;
}
