// service: a compiled program that many threads can ask at the same time.
//
// A dedicated thread owns the run_pool and the client. Callers hand in inputs
// and sleep until their results are ready:
//
//   service_run --> waiting (a queue, at most max_waiting) --> run_pool --+
//        ^                                                                |
//        +---------------------- woken when all have ended ---------------+
//
// The queue provides back-pressure: what does not fit is refused immediately
// with ERR_BUSY, so that a client hears "later" instead of waiting in a line
// that only grows. Runs begin in the order in which they arrived.

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
    struct model_client *client;     // used only by the service until the end
    int slots;                       // calls open at the model server
    size_t max_waiting;              // inputs that have not begun
    int64_t timeout_ms;              // for each call
    bool allow_exec;                 // see run_pool.h
};

// Starts the thread. Returns NULL on failure: out of memory, or a program of
// the file that is not allowed or not there.
struct service *service_start(const struct service_options *options,
                              struct err *err);

// The caller of service_run. If it is gone, its inputs that have not begun are
// not run, because nobody would see the results and they cost calls.
struct service_caller {
    bool (*gone)(void *user); // checked now and then, on the caller's thread
    void *user;
};

// Runs the program on n inputs by name and blocks until all have ended;
// results[i] belongs to inputs[i]. Returns false without beginning any:
// ERR_BUSY if there is no room for all of them, ERR_STOPPED if the service
// drains. May be called from any thread.
bool service_run(struct service *service, const struct service_caller *caller,
                 json_t *const *inputs, size_t n, struct run_result *results,
                 struct err *err);

// Counts since the start, and the present state.
struct service_status {
    size_t waiting, running;
    int64_t ended[RUN_END_COUNT]; // by how runs ended
    int64_t withdrawn;            // not begun, because the caller was gone
    int64_t repairs;              // replies asked for again
    int64_t run_us;               // total of all runs, from service_run on
    bool draining;
};
void service_status(struct service *service, struct service_status *out);

// Stops taking new inputs. Those already taken continue, and service_status
// shows when none are left. May be called from any thread, and more than once.
void service_drain(struct service *service);

// Ends what is left as RUN_END_SERVER and joins the thread. Threads blocked in
// service_run return; the service may be freed only after all of them have.
void service_stop(struct service *service);
void service_free(struct service *service); // after stop; accepts NULL

#endif
