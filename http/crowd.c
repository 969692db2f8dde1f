#include "http/crowd.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "common/clock.h"
#include "common/cond.h"
#include "common/thread.h"

enum {
    LOOK_MS = 250,          // between two looks at who takes too long
    CLOSE_MS = 2000,        // for handlers and replies when the crowd is closed
    FREE_SHARE = 8,         // one in this many connections is kept free
    CROWD_REQUEST_MS = 200, // in a crowd, for a request to arrive
    CROWD_REPLY_MS = 2000,  // in a crowd, for a reply to leave
};

// A connection, from its first byte to its last.
struct line {
    int fd; // borrowed
    enum phase phase;
    int64_t since_ms;
    bool cut; // shut down, and about to end
    struct line *next, *before;
};

struct crowd {
    size_t max_connections;
    size_t max_streams;
    pthread_t watcher;
    pthread_mutex_t lock; // guards all that follows
    pthread_cond_t ended;
    bool closed;
    struct line *lines;
    size_t n_lines;
    size_t n_streams;
};

// Returns how many connections there may be before there are too many.
static size_t room(const struct crowd *crowd)
{
    size_t most = crowd->max_connections;

    return most - (most + FREE_SHARE - 1) / FREE_SHARE;
}

// --- the lines ---

struct line *crowd_add(struct crowd *crowd, int fd)
{
    struct line *line = calloc(1, sizeof *line);

    if (line == NULL)
        return NULL;
    line->fd = fd;
    line->since_ms = clock_monotonic_ms();
    pthread_mutex_lock(&crowd->lock);
    line->next = crowd->lines;
    if (line->next != NULL)
        line->next->before = line;
    crowd->lines = line;
    crowd->n_lines++;
    pthread_mutex_unlock(&crowd->lock);
    return line;
}

void crowd_remove(struct crowd *crowd, struct line *line)
{
    pthread_mutex_lock(&crowd->lock);
    if (line->next != NULL)
        line->next->before = line->before;
    if (line->before != NULL)
        line->before->next = line->next;
    else
        crowd->lines = line->next;
    crowd->n_lines--;
    pthread_mutex_unlock(&crowd->lock);
    free(line);
}

void crowd_enter(struct crowd *crowd, struct line *line, enum phase phase)
{
    if (line == NULL)
        return;
    pthread_mutex_lock(&crowd->lock);
    line->phase = phase;
    line->since_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&crowd->lock);
}

// --- who must go ---

static void cut_off(struct line *line)
{
    (void)shutdown(line->fd, SHUT_RDWR);
    line->cut = true;
}

static void cut_off_slow(struct crowd *crowd, int64_t now)
{
    static const int64_t most[] = {[PHASE_REQUEST] = HTTP_REQUEST_MS,
                                   [PHASE_HANDLER] = INT64_MAX,
                                   [PHASE_REPLY] = HTTP_REPLY_MS,
                                   [PHASE_STREAM] = INT64_MAX};

    for (struct line *line = crowd->lines; line != NULL; line = line->next)
        if (now - line->since_ms > most[line->phase])
            cut_off(line);
}

// Returns true if the client has sent something: it may be a whole request that
// its thread had no time for yet.
static bool has_sent(const struct line *line)
{
    char byte;

    return recv(line->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

// Returns the line that has waited longest, of those that a crowd can do
// without; NULL if there is none.
static struct line *find_idlest(struct crowd *crowd, int64_t now)
{
    static const int64_t most[] = {[PHASE_REQUEST] = CROWD_REQUEST_MS,
                                   [PHASE_HANDLER] = INT64_MAX,
                                   [PHASE_REPLY] = CROWD_REPLY_MS,
                                   [PHASE_STREAM] = INT64_MAX};
    struct line *idlest = NULL;

    for (struct line *line = crowd->lines; line != NULL; line = line->next)
        if (!line->cut && now - line->since_ms > most[line->phase] &&
            (idlest == NULL || line->since_ms < idlest->since_ms) &&
            (line->phase != PHASE_REQUEST || !has_sent(line)))
            idlest = line;
    return idlest;
}

static void thin(struct crowd *crowd, int64_t now)
{
    size_t left = crowd->n_lines;
    struct line *idlest;

    for (struct line *line = crowd->lines; line != NULL; line = line->next)
        left -= line->cut;
    while (left > room(crowd) && (idlest = find_idlest(crowd, now)) != NULL) {
        cut_off(idlest);
        left--;
    }
}

static void *watch(void *user)
{
    struct crowd *crowd = user;

    pthread_mutex_lock(&crowd->lock);
    while (!crowd->closed) {
        const struct timespec until = cond_deadline(LOOK_MS);

        (void)pthread_cond_timedwait(&crowd->ended, &crowd->lock, &until);
        cut_off_slow(crowd, clock_monotonic_ms());
        thin(crowd, clock_monotonic_ms());
    }
    pthread_mutex_unlock(&crowd->lock);
    return NULL;
}

// --- who may work ---

// Returns a limit: while fewer connections are working, one more is let in. A
// health check that gets no answer would make somebody restart the process, and
// its state is most interesting in a crowd.
static size_t most_at_work(const struct crowd *crowd, enum urgency urgency)
{
    size_t most = room(crowd);

    if (urgency == URGENCY_ALIVE)
        return SIZE_MAX;
    if (urgency == URGENCY_STATE)
        most += (crowd->max_connections - most) / 2;
    return most;
}

bool crowd_begin_work(struct crowd *crowd, struct line *line,
                      enum urgency urgency)
{
    size_t working = 0;

    pthread_mutex_lock(&crowd->lock);
    for (const struct line *at = crowd->lines; at != NULL; at = at->next)
        working += at->phase == PHASE_HANDLER || at->phase == PHASE_STREAM;
    bool may = !crowd->closed && working < most_at_work(crowd, urgency);
    if (may && line != NULL) {
        line->phase = PHASE_HANDLER;
        line->since_ms = clock_monotonic_ms();
    }
    pthread_mutex_unlock(&crowd->lock);
    return may;
}

bool crowd_take_stream(struct crowd *crowd)
{
    pthread_mutex_lock(&crowd->lock);
    bool free_place = crowd->n_streams < crowd->max_streams;
    crowd->n_streams += free_place;
    pthread_mutex_unlock(&crowd->lock);
    return free_place;
}

void crowd_leave_stream(struct crowd *crowd)
{
    pthread_mutex_lock(&crowd->lock);
    crowd->n_streams--;
    pthread_mutex_unlock(&crowd->lock);
}

// --- starting and stopping ---

struct crowd *crowd_start(size_t max_connections, size_t max_streams,
                          struct err *err)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);

    if (crowd == NULL) {
        err_nomem(err, "the HTTP server");
        return NULL;
    }
    crowd->max_connections = max_connections;
    crowd->max_streams = max_streams;
    pthread_mutex_init(&crowd->lock, NULL);
    cond_init(&crowd->ended);
    if (thread_start(&crowd->watcher, watch, crowd, "the HTTP server", err))
        return crowd;
    pthread_cond_destroy(&crowd->ended);
    pthread_mutex_destroy(&crowd->lock);
    free(crowd);
    return NULL;
}

static bool is_at_work(struct crowd *crowd)
{
    bool some = false;

    pthread_mutex_lock(&crowd->lock);
    for (const struct line *at = crowd->lines; at != NULL; at = at->next)
        some = some || at->phase == PHASE_HANDLER || at->phase == PHASE_REPLY;
    pthread_mutex_unlock(&crowd->lock);
    return some;
}

static void refuse_all(struct crowd *crowd)
{
    pthread_mutex_lock(&crowd->lock);
    crowd->closed = true;
    pthread_cond_signal(&crowd->ended);
    pthread_mutex_unlock(&crowd->lock);
}

void crowd_close(struct crowd *crowd)
{
    const struct timespec pause = {.tv_nsec = 10L * 1000 * 1000};
    int64_t until_ms = clock_monotonic_ms() + CLOSE_MS;

    refuse_all(crowd);
    while (is_at_work(crowd) && clock_monotonic_ms() < until_ms)
        (void)nanosleep(&pause, NULL);
}

bool crowd_is_closed(struct crowd *crowd)
{
    pthread_mutex_lock(&crowd->lock);
    bool closed = crowd->closed;
    pthread_mutex_unlock(&crowd->lock);
    return closed;
}

void crowd_stop(struct crowd *crowd)
{
    if (crowd == NULL)
        return;
    refuse_all(crowd);
    pthread_join(crowd->watcher, NULL);
    pthread_cond_destroy(&crowd->ended);
    pthread_mutex_destroy(&crowd->lock);
    free(crowd);
}
