#include "http_script.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

enum { ROWS_MAX = 8, REQUEST_MAX = 64 * 1024, THREADS_MAX = 512 };

struct row {
    char path[80];
    enum script_act act;
    int status;
    char *body; // owned
    int delay_ms;
    int requests;
    char *last_body; // owned
};

struct http_script {
    int listener;
    int port;
    pthread_t acceptor;
    pthread_mutex_t lock; // protects everything below
    bool stopping;
    struct row rows[ROWS_MAX];
    size_t n_rows;
    pthread_t threads[THREADS_MAX];
    size_t n_threads;
    int connections;
    int open;
    int most_open;
    int hangups;
};

struct connection {
    struct http_script *script;
    int fd;
};

static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

static void lock(struct http_script *script)
{
    pthread_mutex_lock(&script->lock);
}

static void unlock(struct http_script *script)
{
    pthread_mutex_unlock(&script->lock);
}

static bool is_stopping(struct http_script *script)
{
    lock(script);
    bool stopping = script->stopping;
    unlock(script);
    return stopping;
}

// Waits until fd is readable; returns false at the deadline or when stopping.
static bool wait_readable(struct http_script *script, int fd,
                          int64_t deadline_ms)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};

    while (!is_stopping(script)) {
        int64_t left_ms = deadline_ms - clock_monotonic_ms();
        if (left_ms <= 0)
            return false;
        if (poll(&item, 1, left_ms < 20 ? (int)left_ms : 20) > 0)
            return true;
    }
    return false;
}

static struct row *find_row(struct http_script *script, const char *path)
{
    for (size_t i = 0; i < script->n_rows; i++) {
        if (strcmp(script->rows[i].path, path) == 0)
            return &script->rows[i];
    }
    must(script->n_rows < ROWS_MAX, "too many paths in a script");
    struct row *row = &script->rows[script->n_rows++];
    snprintf(row->path, sizeof row->path, "%s", path);
    row->status = 404;
    return row;
}

static void send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        data += sent;
        len -= (size_t)sent;
    }
}

// Reads one request into buffer, NUL-terminated; *body points into it. Returns
// false when the client has disconnected or the script stops.
static bool read_request(struct connection *connection, char *buffer,
                         char **body)
{
    size_t used = 0;

    for (;;) {
        buffer[used] = '\0';
        char *end = strstr(buffer, "\r\n\r\n");
        char *length = strstr(buffer, "Content-Length: ");
        size_t need = length == NULL ? 0 : (size_t)atol(length + 16);
        if (end != NULL && used >= (size_t)(end + 4 - buffer) + need) {
            *body = end + 4;
            return true;
        }
        if (used == REQUEST_MAX ||
            !wait_readable(connection->script, connection->fd, INT64_MAX))
            return false;
        ssize_t got =
            recv(connection->fd, buffer + used, REQUEST_MAX - used, 0);
        if (got <= 0)
            return false;
        used += (size_t)got;
    }
}

// Returns what to do with this request; the row's body is a copy.
static struct row begin(struct http_script *script, const char *path,
                        const char *body)
{
    lock(script);
    struct row *row = find_row(script, path);
    row->requests++;
    free(row->last_body);
    row->last_body = strdup(body);
    script->open++;
    if (script->open > script->most_open)
        script->most_open = script->open;
    struct row copy = *row;
    copy.body = strdup(row->body == NULL ? "" : row->body);
    unlock(script);
    return copy;
}

static void end(struct http_script *script, bool left)
{
    lock(script);
    script->open--;
    script->hangups += left ? 1 : 0;
    unlock(script);
}

static void send_reply(int fd, const struct row *row)
{
    char head[200];
    size_t len = strlen(row->body);

    if (row->act == SCRIPT_LATE) {
        snprintf(head, sizeof head,
                 "HTTP/1.1 %d X\r\nContent-Length: 13\r\n\r\n"
                 "{\"error\":\"x\"}",
                 row->status);
        send_all(fd, head, strlen(head));
        (void)poll(NULL, 0, row->delay_ms);
    }

    if (row->act == SCRIPT_NOISE) {
        send_all(fd, row->body, len);
        return;
    }
    snprintf(head, sizeof head,
             "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n",
             row->act == SCRIPT_LATE ? 200 : row->status,
             row->act == SCRIPT_CUT || row->act == SCRIPT_STALL ? len + 10
                                                                : len);
    send_all(fd, head, strlen(head));
    send_all(fd, row->body, len);
}

// Returns true if the connection stays open.
static bool serve(struct connection *connection, char *request, char *body)
{
    struct http_script *script = connection->script;
    char path[80] = "";

    sscanf(request, "%*s %79s", path);
    struct row row = begin(script, path, body);
    int64_t wait_ms = row.act == SCRIPT_HANG   ? 3600000
                      : row.act == SCRIPT_LATE ? 0
                                               : row.delay_ms;
    bool left = wait_ms > 0 && wait_readable(script, connection->fd,
                                             clock_monotonic_ms() + wait_ms);
    bool reply = !left && row.act != SCRIPT_HANG && row.act != SCRIPT_CLOSE;
    end(script, left);
    if (reply)
        send_reply(connection->fd, &row);
    if (row.act == SCRIPT_STALL)
        (void)wait_readable(script, connection->fd, INT64_MAX);
    free(row.body);
    return reply && (row.act == SCRIPT_REPLY || row.act == SCRIPT_LATE);
}

static void *run_connection(void *user)
{
    struct connection *connection = user;
    char *buffer = malloc(REQUEST_MAX + 1);
    char *body = NULL;

    must(buffer != NULL, "malloc");
    while (read_request(connection, buffer, &body) &&
           serve(connection, buffer, body))
        continue;
    close(connection->fd);
    free(buffer);
    free(connection);
    return NULL;
}

static void *run_acceptor(void *user)
{
    struct http_script *script = user;
    int one = 1;

    while (wait_readable(script, script->listener, INT64_MAX)) {
        int fd = accept(script->listener, NULL, NULL);
        if (fd < 0)
            continue;
        struct connection *connection = malloc(sizeof *connection);
        must(connection != NULL, "malloc");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        *connection = (struct connection){script, fd};
        lock(script);
        script->connections++;
        must(script->n_threads < THREADS_MAX, "too many connections");
        must(pthread_create(&script->threads[script->n_threads++], NULL,
                            run_connection, connection) == 0,
             "pthread_create");
        unlock(script);
    }
    return NULL;
}

// Retries, since another program's connection may have got our port for a
// moment.
static bool bind_patiently(int fd, const struct sockaddr_in *address)
{
    int64_t deadline_ms = clock_monotonic_ms() + 10000;

    while (bind(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
        if (errno != EADDRINUSE || clock_monotonic_ms() > deadline_ms)
            return false;
        (void)poll(NULL, 0, 50);
    }
    return true;
}

struct http_script *http_script_start(int port)
{
    struct http_script *script = calloc(1, sizeof *script);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int one = 1;

    must(script != NULL, "calloc");
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pthread_mutex_init(&script->lock, NULL);
    script->listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(script->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    must(bind_patiently(script->listener, &address), "bind");
    must(listen(script->listener, 64) == 0, "listen");
    getsockname(script->listener, (struct sockaddr *)&address, &len);
    script->port = ntohs(address.sin_port);
    must(pthread_create(&script->acceptor, NULL, run_acceptor, script) == 0,
         "pthread_create");
    return script;
}

void http_script_stop(struct http_script *script)
{
    if (script == NULL)
        return;
    // Refuses new connections before ending the old ones.
    shutdown(script->listener, SHUT_RDWR);
    lock(script);
    script->stopping = true;
    unlock(script);
    pthread_join(script->acceptor, NULL);
    for (size_t i = 0; i < script->n_threads; i++)
        pthread_join(script->threads[i], NULL);
    close(script->listener);
    for (size_t i = 0; i < script->n_rows; i++) {
        free(script->rows[i].body);
        free(script->rows[i].last_body);
    }
    pthread_mutex_destroy(&script->lock);
    free(script);
}

int http_script_port(const struct http_script *script)
{
    return script->port;
}

void http_script_set(struct http_script *script, const char *path,
                     enum script_act act, int status, const char *body,
                     int delay_ms)
{
    lock(script);
    struct row *row = find_row(script, path);
    row->act = act;
    row->status = status;
    row->delay_ms = delay_ms;
    free(row->body);
    row->body = strdup(body);
    unlock(script);
}

int http_script_requests(struct http_script *script, const char *path)
{
    lock(script);
    int n = find_row(script, path)->requests;
    unlock(script);
    return n;
}

static int read_count(struct http_script *script, const int *count)
{
    lock(script);
    int n = *count;
    unlock(script);
    return n;
}

int http_script_connections(struct http_script *script)
{
    return read_count(script, &script->connections);
}

int http_script_open(struct http_script *script)
{
    return read_count(script, &script->open);
}

int http_script_most_open(struct http_script *script)
{
    return read_count(script, &script->most_open);
}

int http_script_hangups(struct http_script *script)
{
    return read_count(script, &script->hangups);
}

void http_script_last_body(struct http_script *script, const char *path,
                           char *out, size_t size)
{
    lock(script);
    const struct row *row = find_row(script, path);
    snprintf(out, size, "%s", row->last_body == NULL ? "" : row->last_body);
    unlock(script);
}
