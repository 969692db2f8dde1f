// exec_queue: what goes between a pool's owner and its thread.
//
//     owner's thread            queue               pool's thread
//     --------------            -----               -------------
//     exec_queue_put   ----->   waiting   ------>   exec_queue_take
//                               wake rings
//     exec_queue_done  <-----   done      <------   exec_queue_post
//                               ready rings
//
// Memory for a result is set aside with its request, so that posting it cannot
// fail. Each function says whose thread may call it.

#ifndef EXEC_EXEC_QUEUE_H
#define EXEC_EXEC_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bell.h"
#include "common/err.h"
#include "exec/exec_pool.h"

struct exec_result {
    struct exec_result *next;
    struct exec_done done;
};

struct exec_request {
    struct exec_request *next;
    struct exec_result *result; // owned until it is posted
    size_t command;
    size_t len; // with the newline
    char line[];
};

struct exec_queue {
    struct bell wake;     // owner -> thread
    struct bell ready;    // thread -> owner
    pthread_mutex_t lock; // guards what follows
    struct exec_request *waiting, **waiting_end;
    struct exec_result *done, **done_end;
    bool stopping;
};

// Prepares the queue, which must not move afterwards. Returns false without
// descriptors; close it then, too.
bool exec_queue_open(struct exec_queue *queue, struct err *err);

// Frees what waits. The owner has taken all results, and the thread is gone.
void exec_queue_close(struct exec_queue *queue);

// --- the owner ---

// Adds a request to a command, with a copy of the line and its newline. Returns
// false when out of memory.
bool exec_queue_put(struct exec_queue *queue, size_t command, uint64_t id,
                    const char *line, size_t len);

// Fills in done, which the caller releases; returns false if there is nothing.
bool exec_queue_done(struct exec_queue *queue, struct exec_done *done);

// Tells the thread to end.
void exec_queue_stop(struct exec_queue *queue);

// --- the pool's thread ---

bool exec_queue_is_stopping(struct exec_queue *queue);

// Returns the oldest waiting request to the command, or NULL. The caller owns
// it.
struct exec_request *exec_queue_take(struct exec_queue *queue, size_t command);

// Posts the result that the request has now, and frees the request.
void exec_queue_post(struct exec_queue *queue, struct exec_request *request);

#endif
