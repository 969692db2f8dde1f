#include "store/writer.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/bell.h"
#include "common/clock.h"
#include "common/cond.h"
#include "common/file.h"
#include "common/log.h"
#include "common/thread.h"
#include "store/frames.h"
#include "store/record.h"
#include "store/sql.h"
#include "store/transaction.h"

enum { ATTEMPT_MS = 500 }; // between two attempts to write

// A frame in the queue may instead have this size and contain a struct drafted:
// the frames of a draft, which stay where they were made.
static const uint32_t FRAME_DRAFT = UINT32_MAX;
struct drafted {
    char *frames; // owned
    size_t len;
};

struct writer {
    sqlite3 *db; // owned; used by the thread while it runs
    const char *path;
    const struct file_lock *file;
    pthread_t thread;
    struct bell notice;

    // Used by the loop.
    uint64_t last_put;

    // Used by the thread.
    struct buf batch; // frames
    struct transaction transaction;

    atomic_uint_fast64_t durable;
    atomic_bool noticed; // the bell rings, or is about to
    atomic_bool broken;
    atomic_bool troubled;            // a commit failed and is being retried
    atomic_int_fast64_t patience_ms; // for retries; below 0: forever
    atomic_size_t queued;            // bytes put and not yet written

    pthread_mutex_t mutex; // guards what follows
    pthread_cond_t work;   // the thread waits for queue, stopping
    pthread_cond_t pause;  // the thread waits for its next attempt
    pthread_cond_t moved;  // the loop waits for queue, durable, broken
    struct buf queue;      // frames
    bool stopping;
    struct err cause; // why it is broken
};

// --- the thread's side ---

// `durable` or `broken` is set before this, so a reader that clears the notice
// first and then checks them misses nothing.
static void give_notice(struct writer *writer)
{
    if (!atomic_exchange(&writer->noticed, true))
        bell_ring(&writer->notice);
}

static void set_broken(struct writer *writer, const struct err *why)
{
    struct err cause = *why;

    transaction_roll_back(&writer->transaction);
    (void)pthread_mutex_lock(&writer->mutex);
    writer->cause = cause;
    atomic_store(&writer->broken, true);
    atomic_store(&writer->troubled, false);
    (void)pthread_cond_broadcast(&writer->moved);
    (void)pthread_mutex_unlock(&writer->mutex);
    give_notice(writer);
}

static void mark_broken(struct writer *writer, int rc)
{
    struct err cause = ERR_CLEAR;

    sql_fail(&cause, writer->db, rc, writer->path, "write to");
    set_broken(writer, &cause);
}

static bool check_in_place(struct writer *writer)
{
    struct err cause = ERR_CLEAR;

    if (file_lock_is_at(writer->file, writer->path))
        return true;
    err_set(&cause, ERR_STORE,
            "the store %s was removed, moved or replaced while it was in use: "
            "put it back, or run the same command again to begin a new one",
            FILE_SHOWN(writer->path, 80));
    set_broken(writer, &cause);
    return false;
}

static void set_troubled(struct writer *writer, bool troubled)
{
    (void)pthread_mutex_lock(&writer->mutex);
    atomic_store(&writer->troubled, troubled);
    (void)pthread_cond_broadcast(&writer->moved);
    (void)pthread_mutex_unlock(&writer->mutex);
    give_notice(writer);
}

// Returns true for errors that may pass without reopening the store.
static bool is_temporary(int rc)
{
    int primary = rc & 0xFF;

    return primary == SQLITE_FULL || primary == SQLITE_IOERR ||
           primary == SQLITE_BUSY || primary == SQLITE_NOMEM ||
           primary == SQLITE_CANTOPEN;
}

// Sleeps until the next attempt. Returns false if there should be none.
static bool await_attempt(struct writer *writer)
{
    const struct timespec until = cond_deadline(ATTEMPT_MS);
    bool stopping;

    (void)pthread_mutex_lock(&writer->mutex);
    if (!writer->stopping)
        (void)pthread_cond_timedwait(&writer->pause, &writer->mutex, &until);
    stopping = writer->stopping;
    (void)pthread_mutex_unlock(&writer->mutex);
    return !stopping;
}

static bool is_patient(const struct writer *writer, int64_t since_ms)
{
    int64_t patience_ms = atomic_load(&writer->patience_ms);

    return patience_ms < 0 || clock_monotonic_ms() - since_ms < patience_ms;
}

static void mark_durable(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    atomic_fetch_add(&writer->durable, writer->transaction.n);
    (void)pthread_cond_broadcast(&writer->moved);
    (void)pthread_mutex_unlock(&writer->mutex);
    transaction_clear(&writer->transaction);
    give_notice(writer);
}

// Retries the transaction until it succeeds or patience ends.
static void retry_transaction(struct writer *writer, int rc)
{
    int64_t since_ms = clock_monotonic_ms();
    struct err cause = ERR_CLEAR;

    sql_fail(&cause, writer->db, rc, writer->path, "write to");
    transaction_roll_back(&writer->transaction);
    while (is_temporary(rc) && is_patient(writer, since_ms)) {
        if (!atomic_load(&writer->troubled)) {
            log_warn("store-waits",
                     "%s; nothing new begins until it can be written again",
                     cause.text);
            set_troubled(writer, true);
        }
        if (!await_attempt(writer))
            break;
        if (!check_in_place(writer))
            return;
        rc = transaction_again(&writer->transaction);
        if (rc != SQLITE_OK)
            continue;
        log_info("store-writes", "%s can be written again", writer->path);
        set_troubled(writer, false);
        mark_durable(writer);
        return;
    }
    mark_broken(writer, rc);
}

static void commit_group(struct writer *writer)
{
    int rc;

    if (writer->transaction.n == 0 || atomic_load(&writer->broken))
        return;
    if (!check_in_place(writer))
        return;
    rc = transaction_commit(&writer->transaction);
    if (rc == SQLITE_OK)
        mark_durable(writer);
    else
        retry_transaction(writer, rc);
}

static void run_put(struct writer *writer, struct frames frame,
                    enum frames_kept how)
{
    int rc = SQLITE_OK;

    if (!transaction_add(&writer->transaction, frame, how, &rc))
        mark_broken(writer, SQLITE_NOMEM);
    else if (rc != SQLITE_OK)
        retry_transaction(writer, rc);
    else if (transaction_is_full(&writer->transaction))
        commit_group(writer);
}

static void run_frames(struct writer *writer, struct frames frames,
                       enum frames_kept how);

// Afterwards the draft's transaction is on disk, or the writer is broken.
static void run_drafted(struct writer *writer, struct frames frame)
{
    struct drafted drafted;

    memcpy(&drafted, frame.at + FRAMES_HEAD_BYTES, sizeof drafted);
    run_frames(writer, (struct frames){drafted.frames, drafted.len},
               FRAMES_IN_PLACE);
    commit_group(writer);
    transaction_clear(&writer->transaction);
    free(drafted.frames);
    atomic_fetch_sub(&writer->queued, drafted.len);
}

// Goes through all frames even if the writer is broken, because a draft's
// frames must be freed; a broken writer runs nothing more.
static void run_frames(struct writer *writer, struct frames frames,
                       enum frames_kept how)
{
    while (frames.len > 0) {
        uint32_t size = frames_size(frames);
        bool draft = size == FRAME_DRAFT;
        struct frames frame =
            frames_take(&frames, FRAMES_HEAD_BYTES +
                                     (draft ? sizeof(struct drafted) : size));

        if (draft)
            run_drafted(writer, frame);
        else if (!atomic_load(&writer->broken))
            run_put(writer, frame, how);
    }
}

static void run_batch(struct writer *writer)
{
    run_frames(writer, (struct frames){writer->batch.data, writer->batch.len},
               FRAMES_COPIED);
    atomic_fetch_sub(&writer->queued, writer->batch.len);
    frames_clear(&writer->batch);
}

// Swaps the queue with the empty batch. Returns false if the queue is empty.
static bool take_queue(struct writer *writer)
{
    bool some = writer->queue.len > 0;

    if (some) {
        struct buf taken = writer->queue;
        writer->queue = writer->batch;
        writer->batch = taken;
        (void)pthread_cond_broadcast(&writer->moved);
    }
    return some;
}

// Waits for puts, committing before it sleeps. Returns false at the end.
static bool next_batch(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    bool some = take_queue(writer);
    (void)pthread_mutex_unlock(&writer->mutex);
    if (some)
        return true;

    commit_group(writer);
    (void)pthread_mutex_lock(&writer->mutex);
    while (!(some = take_queue(writer)) && !writer->stopping)
        (void)pthread_cond_wait(&writer->work, &writer->mutex);
    (void)pthread_mutex_unlock(&writer->mutex);
    return some;
}

static void *run_thread(void *user)
{
    struct writer *writer = user;

    while (next_batch(writer))
        run_batch(writer);
    commit_group(writer);
    return NULL;
}

// --- start and stop ---

// Frees everything but the thread and db.
static void free_writer(struct writer *writer)
{
    transaction_release(&writer->transaction);
    bell_close(&writer->notice);
    buf_release(&writer->queue);
    buf_release(&writer->batch);
    (void)pthread_cond_destroy(&writer->pause);
    (void)pthread_cond_destroy(&writer->moved);
    (void)pthread_cond_destroy(&writer->work);
    (void)pthread_mutex_destroy(&writer->mutex);
    free(writer);
}

struct writer *writer_start(sqlite3 *db, const char *path,
                            const struct file_lock *file, struct err *err)
{
    struct writer *writer = calloc(1, sizeof *writer);

    if (writer == NULL) {
        err_nomem(err, "the store's writer");
        return NULL;
    }
    writer->db = db;
    writer->path = path;
    writer->file = file;
    writer->notice = (struct bell)BELL_NONE;
    writer->queue = BUF_INIT(WRITER_MAX_BYTES + RECORD_MAX_BYTES);
    writer->batch = writer->queue;
    cond_init(&writer->pause);
    (void)pthread_mutex_init(&writer->mutex, NULL);
    (void)pthread_cond_init(&writer->work, NULL);
    (void)pthread_cond_init(&writer->moved, NULL);
    if (transaction_init(&writer->transaction, db, path,
                         WRITER_MAX_BYTES + RECORD_MAX_BYTES, err) &&
        bell_open(&writer->notice, "the store", err) &&
        thread_start(&writer->thread, run_thread, writer, "the store", err))
        return writer;
    free_writer(writer);
    return NULL;
}

void writer_stop(struct writer *writer)
{
    if (writer == NULL)
        return;
    (void)pthread_mutex_lock(&writer->mutex);
    writer->stopping = true;
    (void)pthread_cond_signal(&writer->work);
    (void)pthread_cond_signal(&writer->pause);
    (void)pthread_mutex_unlock(&writer->mutex);
    (void)pthread_join(writer->thread, NULL);

    sqlite3 *db = writer->db;
    free_writer(writer);
    (void)sqlite3_close(db);
}

// --- the loop's side ---

static bool check_record(const struct buf *record, struct err *err)
{
    if (!buf_ok(record, "a record for the store", err))
        return false;
    assert(record->len > 0 && record->len <= RECORD_MAX_BYTES);
    return true;
}

// The caller holds the mutex.
static bool check_room(const struct writer *writer, struct err *err)
{
    if (atomic_load(&writer->broken)) {
        if (err != NULL)
            *err = writer->cause;
        return false;
    }
    if (atomic_load(&writer->queued) <= WRITER_MAX_BYTES)
        return true;
    err_set(err, ERR_STORE,
            "the disk of %s cannot keep up: %d MiB wait to be written; see "
            "what else uses it, and run the same command again",
            FILE_SHOWN(writer->path, 90), WRITER_MAX_BYTES >> 20);
    return false;
}

static bool put_frame(struct writer *writer, uint32_t size, const void *data,
                      size_t len, uint64_t puts, struct err *err)
{
    bool ok;

    (void)pthread_mutex_lock(&writer->mutex);
    ok = check_room(writer, err) &&
         frames_append(&writer->queue, size, data, len, err);
    if (ok) {
        writer->last_put += puts;
        atomic_fetch_add(&writer->queued, sizeof size + len);
        (void)pthread_cond_signal(&writer->work);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    return ok;
}

bool writer_put(struct writer *writer, const struct buf *record,
                struct err *err)
{
    return check_record(record, err) &&
           put_frame(writer, (uint32_t)record->len, record->data, record->len,
                     1, err);
}

bool writer_put_draft(struct writer *writer, struct draft *draft,
                      struct err *err)
{
    struct drafted drafted = {.frames = draft->frames.data,
                              .len = draft->begun};

    if (draft->puts == 0)
        return true;
    atomic_fetch_add(&writer->queued, drafted.len);
    if (!put_frame(writer, FRAME_DRAFT, &drafted, sizeof drafted, draft->puts,
                   err)) {
        atomic_fetch_sub(&writer->queued, drafted.len);
        return false;
    }
    *draft = DRAFT_INIT;
    return true;
}

void writer_set_patience(struct writer *writer, int64_t ms)
{
    atomic_store(&writer->patience_ms, ms);
}

bool writer_troubled(const struct writer *writer)
{
    return atomic_load(&writer->troubled);
}

bool writer_behind(const struct writer *writer)
{
    return writer_troubled(writer) ||
           atomic_load(&writer->queued) > WRITER_QUEUE_BYTES;
}

uint64_t writer_last_put(const struct writer *writer)
{
    return writer->last_put;
}

uint64_t writer_durable(const struct writer *writer)
{
    return atomic_load(&writer->durable);
}

// `cause` is written once, before `broken` is set.
bool writer_healthy(const struct writer *writer, struct err *err)
{
    if (!atomic_load(&writer->broken))
        return true;
    if (err != NULL)
        *err = writer->cause;
    return false;
}

// Returns true while the put may still become durable.
static bool is_pending(const struct writer *writer, uint64_t put)
{
    return atomic_load(&writer->durable) < put && !atomic_load(&writer->broken);
}

bool writer_wait(struct writer *writer, uint64_t put, struct err *err)
{
    (void)pthread_mutex_lock(&writer->mutex);
    while (is_pending(writer, put))
        (void)pthread_cond_wait(&writer->moved, &writer->mutex);
    (void)pthread_mutex_unlock(&writer->mutex);
    return writer_healthy(writer, err);
}

bool writer_wait_untroubled(struct writer *writer, uint64_t put,
                            struct err *err)
{
    (void)pthread_mutex_lock(&writer->mutex);
    while (is_pending(writer, put) && !writer_troubled(writer))
        (void)pthread_cond_wait(&writer->moved, &writer->mutex);
    (void)pthread_mutex_unlock(&writer->mutex);
    if (!writer_healthy(writer, err))
        return false;
    if (atomic_load(&writer->durable) >= put)
        return true;
    err_set(err, ERR_STORE, "the disk of %s is accepting no writes",
            FILE_SHOWN(writer->path, 150));
    return false;
}

bool writer_flush(struct writer *writer, struct err *err)
{
    return writer_wait(writer, writer->last_put, err);
}

int writer_notice_fd(const struct writer *writer)
{
    return bell_fd(&writer->notice);
}

void writer_notice_clear(struct writer *writer)
{
    bell_clear(&writer->notice);
    atomic_store(&writer->noticed, false);
}
