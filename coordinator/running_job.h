// running job: a job inside the coordinator's loop.
//
// The other half of a session: it takes the session's tasks over a PAIR
// socket, turns their items into evaluations, keeps the job's history, and
// gives finished tasks back once they are durable. It also decides when a job
// cannot go on: no server, no model, a parked call, a stop.
//
//   OPEN ---NOTE_ENDED---> ENDED          tasks are run
//    |  ^                                 (none are left when it has ENDED)
//    v  |
//   CLOSING: stopped, paused or failed; every task, present or to come, is
//            given back with the reason; leaves by NOTE_ENDED too
//
// Belongs to the coordinator's loop.

#ifndef COORDINATOR_RUNNING_JOB_H
#define COORDINATOR_RUNNING_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/err.h"
#include "coordinator/flight.h"
#include "coordinator/models.h"
#include "coordinator/workers.h"
#include "dispatch/dispatch.h"
#include "exec/exec_pool.h"
#include "program/graph/plan.h"
#include "program/job/bundle.h"
#include "program/job/dataset.h"
#include "program/job/job.h"
#include "program/metric/metric.h"
#include "search/session/note.h"
#include "search/session/session_thread.h"
#include "store/store.h"
#include "wire/message.h"
#include "wire/request.h"

struct evaluation;

// What all parts of the loop share.
struct engine {
    void *zmq;
    struct store *store;
    struct dispatch *dispatch;
    struct models models;
    struct flights flights;
    struct workers workers;
    const char *servers;     // of this process, "URL, URL", or NULL
    int64_t wait_start_ms;   // until a job that nobody ever answered is paused
    int64_t wait_after_ms;   // the same after an answer
    int64_t call_timeout_ms; // hard limit of a call
    int64_t busy_ms;         // when a worker was last seen at work on a call
    bool local;      // clients are in this process: a job has a folder here
    bool allow_exec; // in jobs that are not local
};

enum { RUNNING_JOB_MAX_ACTIVE = 2048 }; // evaluations under way at once

// The rendered prefix of a task's step, by the form that the answer is to have;
// NULL until it is needed.
struct task_prompt {
    struct prefix *prefixes[ADAPTER_COUNT];
};

// A role's model, once it is pinned.
struct running_job_model {
    bool bound;
    bool met; // a worker had it since this process began
    int32_t number;
    char *digest; // owned
};

enum running_job_state {
    RUNNING_JOB_OPEN,
    RUNNING_JOB_CLOSING,
    RUNNING_JOB_ENDED
};

struct running_job {
    struct engine *engine;
    enum running_job_state state;
    struct err closing; // why, when CLOSING
    struct err
        failure; // of an evaluation: closes the running job at its next turn
    // the job; read-only once the session has started
    struct request *request; // owned
    struct bundle *bundle;   // owned
    struct job *job;         // owned
    struct dataset *dataset; // owned
    struct split split;
    struct plan plan;
    char *id; // owned
    int64_t job_no;
    int32_t number; // for dispatch
    bool simulated;
    bool *excluded; // one a row; owned
    struct running_job_model models[ROLE_COUNT];
    struct model_facts facts; // of models, for the session
    int32_t workers_seen; // workers up to this number were compared with them
    const struct optimizer *optimizer;
    const void *params;     // of the optimizer; in the job's arena
    struct exec_pool *pool; // NULL without exec metrics
    struct metric_command commands[METRIC_MAX_OUTSIDE];
    struct hash exec_files; // over the files that their commands name
    char *unpacked;         // folder of the programs of a job from afar; owned
    // the session
    struct session *session; // owned
    void *pair;              // our end
    struct ending *ending;   // owned, when ENDED
    // work
    struct task *tasks, **last_task;        // not finished, oldest first
    struct task *finished, **last_finished; // waiting to be durable
    struct evaluation *evaluations;
    size_t active;
    int64_t task_age; // of the newest task
    int64_t hedges;
    // for people
    struct progress progress;
    char phase[64], note[240];
    int64_t started_ms, wall_before_ms;
    int64_t paid[ROLE_COUNT + 1]; // answers committed by this process; last:
                                  // exec
    int64_t answered_ms;          // last answer; -1: none in this process
    int64_t waiting_ms;           // since when there is work; -1: there is none
    char parked[400];             // which call could not be served; "" none
    struct running_job *next;
};

// Reads the job and its data. Takes request and bundle in any case. NULL: diags
// has errors, or err is set.
struct running_job *running_job_open(struct engine *engine,
                                     struct request *request,
                                     struct bundle *bundle, int32_t number,
                                     int64_t now, struct diags *diags,
                                     struct err *err);

// Opens its history and starts its thread. On failure the running job is still
// to be freed.
bool running_job_begin(struct running_job *running, struct err *err);

void running_job_free(
    struct running_job *running); // joins its session; NULL is fine

// Whatever the session sent.
void running_job_read_notes(struct running_job *running);

// Starts evaluations while there is room, gives durable tasks back, looks at
// the clock.
void running_job_work(struct running_job *running, int64_t now);

// Ends the job early; code says how: ERR_STOPPED, ERR_FAULT, or a failure.
void running_job_close(struct running_job *running, const struct err *why);

// --- for evaluations ---

// Renders (once) and gives the prefix of a step of the task, with the output
// format of that form.
struct prefix *running_job_prefix(struct running_job *running,
                                  struct task *task, int step,
                                  enum adapter form, struct err *err);
// Sends a new flight on its way (to dispatch; running_job_exec.h has the other
// one).
bool running_job_begin_call(struct running_job *running,
                            const struct task *task, struct flight *flight,
                            struct err *err);

// --- for the loop ---

// An answer was put: whose it is and what it cost.
void running_job_paid(struct running_job *running, const struct flight *flight,
                      int64_t now);
// A call was failed by all: the items that wait for it, of whichever running
// job, are holes. Drops the flight.
void running_job_parked(struct flights *flights, struct flight *flight,
                        const char *cause);
// Fills what progress can say now; texts are borrowed.
void running_job_progress(const struct running_job *running, int64_t now,
                          struct progress *out);

#endif
