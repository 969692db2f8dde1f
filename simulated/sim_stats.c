#include "simulated/sim_stats.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"

enum { BODIES_MAX = 1 << 22, BODIES_FIRST = 1 << 10, LINE_MAX_BYTES = 4096 };

// A body is identified by the first 64 bits of its hash.
struct body {
    uint64_t key;
    uint32_t attempts; // 0: the place is free
    uint32_t answers;
};

// Open addressing; n stays below half of cap.
struct sim_tally {
    pthread_mutex_t lock;
    struct sim_stats stats;
    struct body *bodies;
    size_t n;
    size_t cap; // a power of two
    int log;    // -1: none
};

struct sim_tally *sim_tally_open(const char *log_path, struct err *err)
{
    struct sim_tally *tally = calloc(1, sizeof *tally);
    if (tally == NULL)
        goto nomem;
    tally->log = -1;
    tally->cap = BODIES_FIRST;
    tally->bodies = calloc(tally->cap, sizeof *tally->bodies);
    if (tally->bodies == NULL || pthread_mutex_init(&tally->lock, NULL) != 0)
        goto nomem;
    if (log_path != NULL)
        tally->log =
            open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log_path != NULL && tally->log < 0) {
        err_set(err, ERR_IO, "%s: cannot be opened for the log: %s", log_path,
                strerror(errno));
        sim_tally_close(tally);
        return NULL;
    }
    return tally;

nomem:
    if (tally != NULL)
        free(tally->bodies);
    free(tally);
    err_nomem(err, "the counters");
    return NULL;
}

void sim_tally_close(struct sim_tally *tally)
{
    if (tally == NULL)
        return;
    if (tally->log >= 0)
        close(tally->log);
    pthread_mutex_destroy(&tally->lock);
    free(tally->bodies);
    free(tally);
}

// Returns the place of a body, or the free place where it belongs.
static struct body *place_of(struct body *bodies, size_t cap, uint64_t key)
{
    size_t at = (size_t)key & (cap - 1);
    while (bodies[at].attempts > 0 && bodies[at].key != key)
        at = (at + 1) & (cap - 1);
    return &bodies[at];
}

static uint64_t key_of(const struct hash *hash)
{
    uint64_t key = 0;
    memcpy(&key, hash->bytes, sizeof key);
    return key;
}

static bool grow(struct sim_tally *tally)
{
    if (tally->n * 2 < tally->cap)
        return true;
    if (tally->cap >= BODIES_MAX)
        return false;
    struct body *bodies = calloc(tally->cap * 2, sizeof *bodies);
    if (bodies == NULL)
        return false;
    for (size_t i = 0; i < tally->cap; i++)
        if (tally->bodies[i].attempts > 0)
            *place_of(bodies, tally->cap * 2, tally->bodies[i].key) =
                tally->bodies[i];
    free(tally->bodies);
    tally->bodies = bodies;
    tally->cap *= 2;
    return true;
}

uint64_t sim_tally_attempt(struct sim_tally *tally, const struct hash *body)
{
    uint64_t before = UINT64_MAX;
    pthread_mutex_lock(&tally->lock);
    bool room = grow(tally);
    struct body *place = place_of(tally->bodies, tally->cap, key_of(body));
    if (place->attempts > 0 || room) {
        tally->n += place->attempts == 0;
        place->key = key_of(body);
        before = place->attempts++;
    }
    pthread_mutex_unlock(&tally->lock);
    return before;
}

static void write_line(const struct sim_tally *tally,
                       const struct sim_record *record)
{
    char hex[HASH_HEX] = "";
    struct buf line = BUF_INIT(LINE_MAX_BYTES);
    if (record->body != NULL)
        hash_hex(record->body, hex);
    buf_printf(&line, "{\"time_ms\": %" PRId64 ", \"body\": \"%s\", \"path\": ",
               clock_wall_ms(), hex);
    buf_put_json(&line, record->path, strlen(record->path));
    buf_puts(&line, ", \"model\": ");
    buf_put_json(&line, record->model, strlen(record->model));
    buf_printf(&line,
               ", \"outcome\": \"%s\", \"status\": %u, \"prompt_tokens\": "
               "%" PRIu64 ", \"cached_tokens\": %" PRIu64
               ", \"generated_tokens\": %" PRIu64 ", \"busy_us\": %" PRIu64
               ", \"num_predict\": %" PRId64 "}\n",
               record->outcome, record->status, record->prompt_tokens,
               record->cached_tokens, record->generated_tokens, record->busy_us,
               record->num_predict);
    // If a line does not fit or the disk is full, only that line is lost.
    if (!line.failed && write(tally->log, line.data, line.len) < 0)
        errno = 0;
    buf_release(&line);
}

static void count_answer(struct sim_tally *tally,
                         const struct sim_record *record)
{
    struct sim_stats *stats = &tally->stats;
    stats->answered++;
    stats->prompt_tokens += record->prompt_tokens;
    stats->cached_tokens += record->cached_tokens;
    stats->generated_tokens += record->generated_tokens;
    if (record->body == NULL)
        return;
    struct body *place =
        place_of(tally->bodies, tally->cap, key_of(record->body));
    if (place->attempts == 0)
        return;
    stats->answered_distinct += place->answers == 0;
    stats->answered_repeated += place->answers > 0;
    place->answers++;
}

void sim_tally_add(struct sim_tally *tally, const struct sim_record *record)
{
    pthread_mutex_lock(&tally->lock);
    tally->stats.requests++;
    tally->stats.chats += record->chat;
    tally->stats.cancelled += record->cancelled;
    tally->stats.faults += record->fault;
    tally->stats.slot_busy_us += record->busy_us;
    if (record->answered)
        count_answer(tally, record);
    if (tally->log >= 0)
        write_line(tally, record);
    pthread_mutex_unlock(&tally->lock);
}

void sim_tally_load(struct sim_tally *tally)
{
    pthread_mutex_lock(&tally->lock);
    tally->stats.loads++;
    pthread_mutex_unlock(&tally->lock);
}

void sim_tally_read(struct sim_tally *tally, struct sim_stats *stats)
{
    pthread_mutex_lock(&tally->lock);
    *stats = tally->stats;
    pthread_mutex_unlock(&tally->lock);
}
