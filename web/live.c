#include "web/live.h"

#include "web/parts.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/cond.h"
#include "common/json.h"
#include "common/thread.h"
#include "store/query.h"
#include "store/store.h"

enum {
    PULSE_MS = 250,
    ALIVE_MS = 10000, // between two messages of a stream that has no news
};

struct live {
    const struct web_commands *commands; // borrowed
    const char *path;                    // of the store; borrowed
    struct store *store;                 // owned by the thread; NULL: not open
    pthread_t thread;
    bool started;
    void *session;        // with the coordinator; the thread's
    pthread_mutex_t lock; // guards all that follows
    pthread_cond_t news;
    bool over;
    size_t followers;
    uint64_t version; // of text
    char *text;       // owned; NULL before the first
};

// --- what is new ---

// Fewer than 64 trials can be in progress, so the last 64 include them all.
static const char jobs_sql[] =
    "SELECT j.id AS job, j.state, j.updated_ms AS updated,"
    " (SELECT max(number) FROM trials t WHERE t.job_no = j.no) AS trial,"
    " b.trial AS best, b.score, b.low, b.high, b.baseline,"
    " (SELECT count(*) FROM (SELECT state FROM trials t WHERE t.job_no = j.no"
    "   ORDER BY number DESC LIMIT 64) WHERE state <> 'running') AS ended"
    " FROM jobs j LEFT JOIN bests b ON b.job_no = j.no"
    " WHERE j.state <> 'removed'"
    " ORDER BY j.updated_ms DESC LIMIT 50";

static json_t *read_jobs(struct live *live)
{
    struct err err = ERR_CLEAR;

    if (live->store == NULL)
        live->store = store_open_read(live->path, &err);
    return live->store == NULL
               ? NULL
               : query_rows(live->store, jobs_sql, NULL, 0, &err);
}

// A session that fails is opened again at the next pulse.
static json_t *ask_status(struct live *live)
{
    struct err err = ERR_CLEAR;
    json_t *status = NULL;

    if (live->session == NULL)
        live->session = live->commands->open(live->commands->user, &err);
    if (live->session == NULL)
        return NULL;
    status = live->commands->ask(live->session, "status", "", "",
                                 WEB_PATIENCE_MS, &err);
    if (status == NULL) {
        live->commands->close(live->session);
        live->session = NULL;
    }
    return status;
}

static char *look(struct live *live)
{
    json_t *status = ask_status(live);
    json_t *jobs = read_jobs(live);
    json_t *both =
        json_pack("{s:o, s:o}", "status", status == NULL ? json_null() : status,
                  "jobs", jobs == NULL ? json_array() : jobs);
    char *text = json_text(both);

    json_decref(both);
    return text;
}

static void tell(struct live *live, char *text)
{
    if (text == NULL || (live->text != NULL && strcmp(live->text, text) == 0)) {
        free(text);
        return;
    }
    free(live->text);
    live->text = text;
    live->version++;
    pthread_cond_broadcast(&live->news);
}

// --- the thread ---

static void wait_until(struct live *live, int64_t ms)
{
    const struct timespec until = cond_deadline(ms);

    (void)pthread_cond_timedwait(&live->news, &live->lock, &until);
}

static void *run(void *user)
{
    struct live *live = user;

    pthread_mutex_lock(&live->lock);
    while (!live->over) {
        if (live->followers == 0) {
            pthread_cond_wait(&live->news, &live->lock);
            continue;
        }
        pthread_mutex_unlock(&live->lock);
        char *text = look(live);
        pthread_mutex_lock(&live->lock);
        tell(live, text);
        if (!live->over)
            wait_until(live, PULSE_MS);
    }
    pthread_mutex_unlock(&live->lock);
    if (live->session != NULL)
        live->commands->close(live->session);
    store_close(live->store);
    return NULL;
}

struct live *live_start(const struct web_commands *commands, const char *store,
                        struct err *err)
{
    struct live *live = calloc(1, sizeof *live);

    if (live == NULL) {
        err_nomem(err, "the pages' news");
        return NULL;
    }
    live->commands = commands;
    live->path = store;
    pthread_mutex_init(&live->lock, NULL);
    cond_init(&live->news);
    live->started =
        thread_start(&live->thread, run, live, "the pages' news", err);
    if (live->started)
        return live;
    live_stop(live);
    return NULL;
}

void live_wake(struct live *live)
{
    pthread_mutex_lock(&live->lock);
    live->over = true;
    pthread_cond_broadcast(&live->news);
    pthread_mutex_unlock(&live->lock);
}

void live_stop(struct live *live)
{
    if (live == NULL)
        return;
    live_wake(live);
    if (live->started)
        pthread_join(live->thread, NULL);
    pthread_cond_destroy(&live->news);
    pthread_mutex_destroy(&live->lock);
    free(live->text);
    free(live);
}

// --- streams ---

struct follower {
    struct live *live;
    uint64_t seen;
    bool greeted;
};

static bool next_event(void *user, struct buf *out)
{
    struct follower *follower = user;
    struct live *live = follower->live;

    if (!follower->greeted) {
        follower->greeted = true;
        buf_puts(out, "retry: 1000\n\n");
        return true;
    }
    pthread_mutex_lock(&live->lock);
    if (!live->over && live->version == follower->seen)
        wait_until(live, ALIVE_MS);
    bool over = live->over;
    if (live->version != follower->seen) {
        follower->seen = live->version;
        buf_printf(out, "event: status\ndata: %s\n\n", live->text);
    } else if (!over) {
        buf_puts(out, ": nothing new\n\n");
    }
    pthread_mutex_unlock(&live->lock);
    return !over;
}

static void unfollow(void *user)
{
    struct follower *follower = user;

    pthread_mutex_lock(&follower->live->lock);
    follower->live->followers--;
    pthread_mutex_unlock(&follower->live->lock);
    free(follower);
}

bool live_follow(struct live *live, struct http_stream *stream, struct err *err)
{
    struct follower *follower = calloc(1, sizeof *follower);

    if (follower == NULL) {
        err_nomem(err, "a stream");
        return false;
    }
    follower->live = live;
    pthread_mutex_lock(&live->lock);
    live->followers++;
    pthread_cond_broadcast(&live->news);
    pthread_mutex_unlock(&live->lock);
    *stream = (struct http_stream){
        .user = follower, .next = next_event, .close = unfollow};
    return true;
}
