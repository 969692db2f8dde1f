#include "coordinator/background.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/bell.h"
#include "common/thread.h"

enum { MAX_THREADS = 8 };

struct queue {
    struct chore *first, **last;
};

struct background {
    struct background_options options;
    pthread_t threads[MAX_THREADS];
    int n_threads;
    struct bell ready;
    // Only the loop uses these.
    size_t n;
    size_t bytes;
    // Guarded by the mutex.
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct queue waiting;
    struct queue finished;
    bool stopping;
};

static void push(struct queue *queue, struct chore *chore)
{
    chore->next = NULL;
    *queue->last = chore;
    queue->last = &chore->next;
}

static void push_first(struct queue *queue, struct chore *chore)
{
    chore->next = queue->first;
    queue->first = chore;
    if (chore->next == NULL)
        queue->last = &chore->next;
}

static struct chore *pop(struct queue *queue)
{
    struct chore *chore = queue->first;

    if (chore == NULL)
        return NULL;
    queue->first = chore->next;
    if (queue->first == NULL)
        queue->last = &queue->first;
    return chore;
}

// --- a thread ---

// Returns the next chore, after waiting for it; NULL when stopping.
static struct chore *next_chore(struct background *background)
{
    struct chore *chore;

    (void)pthread_mutex_lock(&background->mutex);
    while ((chore = pop(&background->waiting)) == NULL && !background->stopping)
        (void)pthread_cond_wait(&background->work, &background->mutex);
    (void)pthread_mutex_unlock(&background->mutex);
    return chore;
}

static void finish(struct background *background, struct chore *chore)
{
    (void)pthread_mutex_lock(&background->mutex);
    push(&background->finished, chore);
    (void)pthread_mutex_unlock(&background->mutex);
    bell_ring(&background->ready);
}

// A broken store makes no more progress, so then what is durable is all there
// will ever be.
static void work(struct background *background, struct chore *chore,
                 struct store **reader)
{
    struct store *store = background->options.store;
    bool (*wait)(struct store *, uint64_t, struct err *) =
        chore->impatient ? store_wait_untroubled : store_wait;
    struct err trouble = ERR_CLEAR;

    if (chore->after > 0)
        (void)wait(store, chore->after, NULL);
    if (*reader == NULL)
        *reader = store_open_read(store_path(store), &trouble);
    // It is our own store, which the loop has open: what fails now is the disk.
    if (*reader == NULL && trouble.code == ERR_INPUT)
        trouble.code = ERR_STORE;
    chore->work(chore, *reader, &trouble);
}

static void *run_thread(void *user)
{
    struct background *background = user;
    struct store *reader = NULL;
    struct chore *chore;

    while ((chore = next_chore(background)) != NULL) {
        work(background, chore, &reader);
        finish(background, chore);
    }
    store_close(reader);
    return NULL;
}

// --- start and stop ---

static bool start_threads(struct background *background, struct err *err)
{
    while (background->n_threads < background->options.threads &&
           background->n_threads < MAX_THREADS) {
        if (!thread_start(&background->threads[background->n_threads],
                          run_thread, background, "the coordinator", err))
            return false;
        background->n_threads++;
    }
    return true;
}

struct background *background_start(const struct background_options *options,
                                    struct err *err)
{
    struct background *background = calloc(1, sizeof *background);

    if (background == NULL) {
        err_nomem(err, "the coordinator");
        return NULL;
    }
    background->options = *options;
    background->ready = (struct bell)BELL_NONE;
    background->waiting.last = &background->waiting.first;
    background->finished.last = &background->finished.first;
    (void)pthread_mutex_init(&background->mutex, NULL);
    (void)pthread_cond_init(&background->work, NULL);
    if (bell_open(&background->ready, "the coordinator", err) &&
        start_threads(background, err))
        return background;
    background_stop(background);
    return NULL;
}

void background_stop(struct background *background)
{
    if (background == NULL)
        return;
    (void)pthread_mutex_lock(&background->mutex);
    background->stopping = true;
    (void)pthread_cond_broadcast(&background->work);
    (void)pthread_mutex_unlock(&background->mutex);
    for (int i = 0; i < background->n_threads; i++)
        (void)pthread_join(background->threads[i], NULL);
    background_take(background);
    bell_close(&background->ready);
    (void)pthread_cond_destroy(&background->work);
    (void)pthread_mutex_destroy(&background->mutex);
    free(background);
}

// --- the loop ---

bool background_give(struct background *background, struct chore *chore,
                     struct err *err)
{
    const struct background_options *options = &background->options;

    if (!chore->own && background->n > 0 &&
        (background->n >= options->max_chores ||
         background->bytes + chore->bytes > options->max_bytes)) {
        err_set(err, ERR_BUSY, "%s", options->busy);
        return false;
    }
    background->n++;
    background->bytes += chore->bytes;
    (void)pthread_mutex_lock(&background->mutex);
    if (chore->own)
        push_first(&background->waiting, chore);
    else
        push(&background->waiting, chore);
    (void)pthread_cond_signal(&background->work);
    (void)pthread_mutex_unlock(&background->mutex);
    return true;
}

void background_dismiss(struct background *background, const struct err *why)
{
    struct chore *chore;

    for (;;) {
        (void)pthread_mutex_lock(&background->mutex);
        chore = pop(&background->waiting);
        (void)pthread_mutex_unlock(&background->mutex);
        if (chore == NULL)
            return;
        chore->work(chore, NULL, why);
        finish(background, chore);
    }
}

int background_fd(const struct background *background)
{
    return bell_fd(&background->ready);
}

void background_take(struct background *background)
{
    struct chore *chore;

    bell_clear(&background->ready);
    for (;;) {
        (void)pthread_mutex_lock(&background->mutex);
        chore = pop(&background->finished);
        (void)pthread_mutex_unlock(&background->mutex);
        if (chore == NULL)
            return;
        background->n--;
        background->bytes -= chore->bytes;
        chore->done(chore);
    }
}

bool background_is_idle(const struct background *background)
{
    return background->n == 0;
}
