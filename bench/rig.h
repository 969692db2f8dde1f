// rig: a coordinator with a store in a new folder, and a client that submits a
// load to it and waits.

#ifndef BENCH_RIG_H
#define BENCH_RIG_H

#include <stddef.h>
#include <stdint.h>

#include "coordinator/coordinator.h"
#include "load.h"
#include "tally.h"
#include "wire/key.h"

// A folder under /tmp, or under $BENCH_FOLDER. rig_folder_remove deletes it
// with the store in it; with $BENCH_KEEP set, it prints where the store is
// instead.
struct rig_folder {
    char path[128];
    char store[160];
};
void rig_folder_make(struct rig_folder *folder);
void rig_folder_remove(const struct rig_folder *folder);

// The result of a submitted load.
struct rig_result {
    int64_t status;
    char *document; // owned
    double wall_s;  // from SUBMIT to RESULT
};

// Keys in the folder, including those of a worker and of a client.
struct rig_keys {
    char path[160];
    struct key worker, client;
};
void rig_keys_make(const struct rig_folder *folder, struct rig_keys *keys);
void rig_keys_remove(const struct rig_keys *keys);

// Starts a coordinator, with keys unless they are NULL. *threads receives its
// two threads, loop and writer, in that order.
struct coordinator *rig_start(void *zmq, const char *endpoint,
                              const struct rig_folder *folder, const char *keys,
                              struct thread_list *threads);

// Waits until a job can begin at once. A coordinator gives workers a second to
// join before it decides which model most of them have (running_job_wait.c),
// and that second is not part of the speed.
void rig_settle(void);

// Runs the load and exits if it does not end well.
void rig_run(void *zmq, const char *endpoint, const struct key *key,
             const struct load *load, struct rig_result *out);
void rig_result_release(struct rig_result *result);

#endif
