// sim_task: a prompt's prefix, read and weighed once, and a store of such
// tasks.
//
// Thousands of requests share a system message and demos. The store keeps the
// latest analyses by a hash of the prefix. Once made, a task is read-only and
// reference-counted, and many threads may use it at once.

#ifndef SIMULATED_SIM_TASK_H
#define SIMULATED_SIM_TASK_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/err.h"

#include "simulated/sim_label.h"
#include "simulated/sim_prompt.h"

struct sim_task {
    struct arena arena;
    struct sim_prompt prompt;
    json_t *schema;        // owned; the fields borrow from it
    struct sim_bag *demos; // by demo: its input, weighed
    struct sim_bag idf;
    double default_weight; // the weight of a word that is not in the prefix
    struct sim_label_set labels[SIM_FIELDS_MAX]; // by output field
    double hints; // how well the form of the answer is shown, 0 to 1
    int refs;     // under the store's lock
};

struct sim_task_store;

// Creates a store of at most max_tasks. Returns NULL when out of memory.
struct sim_task_store *sim_task_store_new(size_t max_tasks);
void sim_task_store_free(struct sim_task_store *store); // accepts NULL

// Returns the task of messages[0..n) under a schema (borrowed, or NULL). Give
// it back with sim_task_put. Returns NULL on failure.
struct sim_task *sim_task_get(struct sim_task_store *store,
                              const struct sim_message *messages, size_t n,
                              const json_t *schema, bool json, struct err *err);
void sim_task_put(struct sim_task_store *store, struct sim_task *task);

#endif
