#include "exec/exec_queue.h"

#include <stdlib.h>
#include <string.h>

bool exec_queue_open(struct exec_queue *queue, struct err *err)
{
    *queue = (struct exec_queue){.wake = BELL_NONE, .ready = BELL_NONE};
    queue->waiting_end = &queue->waiting;
    queue->done_end = &queue->done;
    (void)pthread_mutex_init(&queue->lock, NULL);
    return bell_open(&queue->wake, "the programs of the job", err) &&
           bell_open(&queue->ready, "the programs of the job", err);
}

void exec_queue_close(struct exec_queue *queue)
{
    while (queue->waiting != NULL) {
        struct exec_request *request = queue->waiting;

        queue->waiting = request->next;
        free(request->result);
        free(request);
    }
    bell_close(&queue->wake);
    bell_close(&queue->ready);
    (void)pthread_mutex_destroy(&queue->lock);
}

// --- the owner ---

static struct exec_request *make_request(size_t command, uint64_t id,
                                         const char *line, size_t len)
{
    struct exec_request *request = calloc(1, sizeof *request + len + 1);
    struct exec_result *result = calloc(1, sizeof *result);

    if (request == NULL || result == NULL) {
        free(request);
        free(result);
        return NULL;
    }
    result->done.id = id;
    request->result = result;
    request->command = command;
    request->len = len + 1;
    memcpy(request->line, line, len);
    request->line[len] = '\n';
    return request;
}

bool exec_queue_put(struct exec_queue *queue, size_t command, uint64_t id,
                    const char *line, size_t len)
{
    struct exec_request *request = make_request(command, id, line, len);

    if (request == NULL)
        return false;
    (void)pthread_mutex_lock(&queue->lock);
    *queue->waiting_end = request;
    queue->waiting_end = &request->next;
    (void)pthread_mutex_unlock(&queue->lock);
    bell_ring(&queue->wake);
    return true;
}

bool exec_queue_done(struct exec_queue *queue, struct exec_done *done)
{
    (void)pthread_mutex_lock(&queue->lock);
    struct exec_result *result = queue->done;
    if (result != NULL) {
        queue->done = result->next;
        if (queue->done == NULL) {
            queue->done_end = &queue->done;
            bell_clear(&queue->ready);
        }
    }
    (void)pthread_mutex_unlock(&queue->lock);
    if (result == NULL)
        return false;
    *done = result->done;
    free(result);
    return true;
}

void exec_queue_stop(struct exec_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->stopping = true;
    (void)pthread_mutex_unlock(&queue->lock);
    bell_ring(&queue->wake);
}

// --- the pool's thread ---

bool exec_queue_is_stopping(struct exec_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    bool stopping = queue->stopping;
    (void)pthread_mutex_unlock(&queue->lock);
    return stopping;
}

struct exec_request *exec_queue_take(struct exec_queue *queue, size_t command)
{
    (void)pthread_mutex_lock(&queue->lock);
    struct exec_request **at = &queue->waiting;
    while (*at != NULL && (*at)->command != command)
        at = &(*at)->next;
    struct exec_request *found = *at;
    if (found != NULL) {
        *at = found->next;
        if (queue->waiting_end == &found->next)
            queue->waiting_end = at;
        found->next = NULL;
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return found;
}

void exec_queue_post(struct exec_queue *queue, struct exec_request *request)
{
    struct exec_result *result = request->result;

    free(request);
    (void)pthread_mutex_lock(&queue->lock);
    result->next = NULL;
    *queue->done_end = result;
    queue->done_end = &result->next;
    if (queue->done == result)
        bell_ring(&queue->ready);
    (void)pthread_mutex_unlock(&queue->lock);
}
