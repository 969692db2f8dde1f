// service: a compiled program that many threads ask at the same time.
//
// A thread of its own owns the run_pool and the client; whoever asks hands in
// inputs and sleeps until their results are there:
//
//   service_run --> waiting (a queue, at most max_waiting) --> run_pool --+
//        ^                                                                |
//        +---------------------- woken when all have ended ---------------+
//
// The queue is the back-pressure: what does not fit is refused at once with
// ERR_BUSY, so that a client hears "later" instead of waiting behind a line
// that only grows. Runs begin in the order in which they came.

#ifndef PREDICT_SERVICE_H
#define PREDICT_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "predict/run_pool.h"

struct service;

struct service_options {
    const struct compiled *compiled; // borrowed until the end
    struct model_client *client;     // the service's own until the end
    int slots;                       // calls open at the model server
    size_t max_waiting;              // inputs that have not begun
    int64_t timeout_ms;              // of a call
    bool allow_exec;                 // see run_pool.h
};

struct service *service_start(const struct service_options *options,
                              struct err *err);

// Who asks. When it is gone, its inputs that have not begun are not run: nobody
// would see what they cost.
struct service_caller {
    bool (*gone)(void *user); // asked now and then, on the caller's thread
    void *user;
};

// Runs the program on n inputs by name and blocks until all have ended;
// results[i] belongs to inputs[i]. False, with nothing begun: ERR_BUSY, when
// there is no room for all of them; ERR_STOPPED, when the service drains. Any
// thread.
bool service_run(struct service *service, const struct service_caller *caller,
                 json_t *const *inputs, size_t n, struct run_result *results,
                 struct err *err);

// Counts since the start, and what is there now.
struct service_status {
    size_t waiting, running;
    int64_t ended[RUN_END_COUNT]; // by how runs ended
    int64_t withdrawn;            // not begun, since the caller was gone
    int64_t repairs;              // replies asked for again
    int64_t run_us;               // of all runs, from service_run on
    bool draining;
};
void service_status(struct service *service, struct service_status *out);

// Takes nothing new from now on; what was taken goes on, and service_status
// says when nothing is left. Any thread, also a second time.
void service_drain(struct service *service);

// Ends what is left as RUN_END_SERVER and joins the thread. Whoever was inside
// service_run comes out of it; only when all have may the service be freed.
void service_stop(struct service *service);
void service_free(struct service *service); // after stop; NULL is fine

#endif
