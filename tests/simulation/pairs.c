// pairs: ZeroMQ's PAIR sockets and its poll, inside the machine.
//
// A job's thread and the loop exchange notes through them. The functions have
// ZeroMQ's names, since they replace the library's at link time.

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "simulation/machine.h"
#include "simulation/source.h"

struct packet {
    struct packet *next;
    size_t len;
    char data[];
};

struct pair {
    struct source source; // first
    char endpoint[128];
    bool bound;
    struct pair *other;
    struct packet *first, **last;
    struct pair *next; // list of all pairs
};

static struct pair *pairs;

static bool pair_readable(const void *self)
{
    return ((const struct pair *)self)->first != NULL;
}

void *zmq_socket(void *context, int type)
{
    struct pair *pair = calloc(1, sizeof *pair);

    (void)context;
    if (pair == NULL || type != ZMQ_PAIR)
        abort();
    pair->source.readable = pair_readable;
    pair->last = &pair->first;
    pair->next = pairs;
    pairs = pair;
    return pair;
}

int zmq_setsockopt(void *socket, int option, const void *value, size_t len)
{
    (void)socket, (void)option, (void)value, (void)len;
    return 0;
}

int zmq_bind(void *socket, const char *endpoint)
{
    struct pair *pair = socket;

    strncpy(pair->endpoint, endpoint, sizeof pair->endpoint - 1);
    pair->bound = true;
    return 0;
}

int zmq_connect(void *socket, const char *endpoint)
{
    struct pair *pair = socket;

    for (struct pair *at = pairs; at != NULL; at = at->next) {
        if (!at->bound || at->other != NULL ||
            strcmp(at->endpoint, endpoint) != 0)
            continue;
        at->other = pair;
        pair->other = at;
        return 0;
    }
    errno = ECONNREFUSED;
    return -1;
}

int zmq_close(void *socket)
{
    struct pair *pair = socket;
    struct pair **at = &pairs;

    while (*at != pair)
        at = &(*at)->next;
    *at = pair->next;
    if (pair->other != NULL)
        pair->other->other = NULL;
    while (pair->first != NULL) {
        struct packet *next = pair->first->next;

        free(pair->first);
        pair->first = next;
    }
    free(pair);
    return 0;
}

int zmq_send(void *socket, const void *data, size_t len, int flags)
{
    struct pair *pair = socket;
    struct packet *packet = malloc(sizeof *packet + len);

    (void)flags;
    if (packet == NULL)
        abort();
    if (pair->other == NULL) {
        free(packet);
        errno = EAGAIN;
        return -1;
    }
    packet->next = NULL;
    packet->len = len;
    memcpy(packet->data, data, len);
    *pair->other->last = packet;
    pair->other->last = &packet->next;
    return (int)len;
}

static bool is_readable(void *user)
{
    return pair_readable(user);
}

int zmq_recv(void *socket, void *out, size_t size, int flags)
{
    struct pair *pair = socket;
    struct packet *packet;
    size_t len;

    if ((flags & ZMQ_DONTWAIT) == 0)
        (void)machine_wait(is_readable, pair, -1);
    packet = pair->first;
    if (packet == NULL) {
        errno = EAGAIN;
        return -1;
    }
    pair->first = packet->next;
    if (pair->first == NULL)
        pair->last = &pair->first;
    len = packet->len < size ? packet->len : size;
    memcpy(out, packet->data, len);
    free(packet);
    return (int)len;
}

struct polled {
    zmq_pollitem_t *items;
    int n;
    uint64_t runs; // runs of the process when its descriptors were last checked
    int process;
    bool files_ready;
};

enum { POLLED_MOST = 128 };

static bool sockets_readable(const struct polled *polled)
{
    for (int i = 0; i < polled->n; i++) {
        const struct source *source = polled->items[i].socket;

        if (source != NULL && source->readable(source))
            return true;
    }
    return false;
}

// Checks pipes within the process: nothing changes in them while none of its
// threads runs.
static bool files_readable(struct polled *polled)
{
    struct pollfd fds[POLLED_MOST];
    nfds_t n = 0;

    if (polled->runs == machine_runs(polled->process))
        return polled->files_ready;
    polled->runs = machine_runs(polled->process);
    for (int i = 0; i < polled->n && n < POLLED_MOST; i++)
        if (polled->items[i].socket == NULL)
            fds[n++] =
                (struct pollfd){.fd = polled->items[i].fd, .events = POLLIN};
    polled->files_ready = n > 0 && poll(fds, n, 0) > 0;
    return polled->files_ready;
}

static bool any_readable(void *user)
{
    return sockets_readable(user) || files_readable(user);
}

// Returns 1 if anything is readable, without saying what: our callers check
// everything after a poll.
int zmq_poll(zmq_pollitem_t *items, int n, long timeout_ms)
{
    struct polled polled = {.items = items,
                            .n = n,
                            .runs = UINT64_MAX,
                            .process = machine_process()};
    int64_t until_us =
        timeout_ms < 0 ? -1 : machine_now_us() + (int64_t)timeout_ms * 1000;

    return machine_wait(any_readable, &polled, until_us) ? 1 : 0;
}

int zmq_errno(void)
{
    return errno;
}

const char *zmq_strerror(int number)
{
    return strerror(number);
}
