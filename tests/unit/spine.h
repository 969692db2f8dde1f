// spine: a whole promptcc in one process, for tests: stand-in model server,
// coordinator on inproc, workers, and a client that submits and waits.

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
    char folder[64];   // of the test; holds the store
    char endpoint[32]; // another one each start: a closed one stays in use
    int starts;        // for a moment
    struct sim_server *sim;
    struct coordinator *coordinator;
    struct worker *workers[SPINE_WORKERS];
    size_t n_workers;
    const char *compiled_in; // sent along as best.json; NULL: nothing
    // of the last spine_submit; owned
    int64_t status;
    json_t *document;
    char *compiled;
};

// A job on spine_examples, in two halves, between which further steps fit. The
// optimizer: "labeled_few_shot: {k: 4}".
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

// A folder of its own with the stand-in running in it.
void spine_init(struct spine *spine, const struct sim_options *sim);
void spine_release(struct spine *spine);

// Coordinator and n workers, each with `slots`; and their end.
void spine_start(struct spine *spine, size_t n_workers, int slots);
void spine_stop(struct spine *spine);

// Submits a job of the given texts and waits for its result; examples may be
// NULL. Fails the test after a minute.
void spine_submit(struct spine *spine, const char *action, const char *options,
                  const char *job, const char *examples);

// Like it, but stops the job as soon as progress shows `calls` answers.
void spine_submit_and_stop(struct spine *spine, const char *job,
                           const char *examples, int64_t calls);

// Forty rows of four labels that similarity can tell apart, as JSON lines; the
// caller frees.
char *spine_examples(void);

#endif
