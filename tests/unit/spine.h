// spine: a whole promptcc in one process, for tests: the stand-in model server,
// a coordinator on inproc, workers, and a client that submits a job and waits.

#ifndef TESTS_SPINE_H
#define TESTS_SPINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "coordinator/coordinator.h"
#include "simulated/sim_server.h"
#include "worker/worker.h"

enum { SPINE_WORKERS = 16 };

struct spine {
    void *zmq;
    char folder[64];   // the test's; contains the store
    char endpoint[32]; // a new one for each start, since a closed
    int starts;        // endpoint stays in use for a moment
    struct sim_server *sim;
    struct coordinator *coordinator;
    struct worker *workers[SPINE_WORKERS];
    size_t n_workers;
    const char *compiled_in; // sent as best.json; NULL: not sent
    // The results of the last spine_submit; owned.
    int64_t status;
    json_t *document;
    char *compiled;
};

// A job on spine_examples, in two parts between which further steps can be
// inserted. `optimizer` looks like "labeled_few_shot: {k: 4}".
#define SPINE_STEP                                                             \
    "name: topics\n"                                                           \
    "models: {student: 'qwen2.5:0.5b'}\n"                                      \
    "inputs: {text: {desc: A note}}\n"                                         \
    "steps:\n"                                                                 \
    "  sort:\n"                                                                \
    "    predict: Say what the note is about.\n"                               \
    "    inputs: [text]\n"                                                     \
    "    outputs: {topic: {enum: [garden, kitchen, travel, music]}}\n"
#define SPINE_REST(optimizer)                                                  \
    "data: {examples: examples.jsonl}\n"                                       \
    "metric: {exact_match: topic}\n"                                           \
    "optimizer: {" optimizer "}\n"
#define SPINE_JOB(optimizer) SPINE_STEP SPINE_REST(optimizer)

// Makes the test's own folder and starts the stand-in server in it.
void spine_init(struct spine *spine, const struct sim_options *sim);
void spine_release(struct spine *spine);

// Starts the coordinator and n workers with `slots` slots each; and stops them.
void spine_start(struct spine *spine, size_t n_workers, int slots);
void spine_stop(struct spine *spine);

// Submits a job with these texts and waits for its result; `examples` may be
// NULL. Fails the test after a minute.
void spine_submit(struct spine *spine, const char *action, const char *options,
                  const char *job, const char *examples);

// Like spine_submit, but stops the job once its progress shows `calls` answers.
void spine_submit_and_stop(struct spine *spine, const char *job,
                           const char *examples, int64_t calls);

// Returns forty rows with four labels that similarity can tell apart, as JSON
// lines; the caller frees it.
char *spine_examples(void);

#endif
