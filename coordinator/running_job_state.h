// running_job_state: the members of a running job (running_job.h), for the
// files that implement it. running_job_state.c has the functions that only read
// it.

#ifndef COORDINATOR_RUNNING_JOB_STATE_H
#define COORDINATOR_RUNNING_JOB_STATE_H

#include "coordinator/course.h"
#include "coordinator/running_job.h"
#include "program/graph/plan.h"
#include "program/job/dataset.h"
#include "search/session/note.h"
#include "search/session/session_thread.h"
#include "store/history.h"

enum { RUNNING_JOB_MAX_ACTIVE = 2048 }; // in progress at once

enum running_job_state {
    RUNNING_JOB_OPEN,
    RUNNING_JOB_CLOSING,
    RUNNING_JOB_ENDED,   // its session has ended
    RUNNING_JOB_SUMMING, // its costs are being summed up, off the loop
    RUNNING_JOB_SUMMED,
    RUNNING_JOB_STORED, // its result is put; clients get it once it is durable
};

// What the history knows of a job, between the look-up and the beginning.
struct running_job_past {
    int64_t reserved_no;       // the job's number if it is new
    struct job_index *index;   // owned
    struct draft *draft;       // what will be put; owned
    char *digests[ROLE_COUNT]; // of models pinned before, or ""; owned
    bool was_done;             // an earlier run was completed
    int32_t *excluded;         // rows to leave out from now on; owned
    size_t n_excluded;
};

// Tasks in order of arrival. `last` is where the next one is linked; it points
// to `first` in an empty list.
struct task_list {
    struct task *first;
    struct task **last;
};

struct running_job {
    struct engine *engine;
    struct job_work work; // the part that evaluations and flights see
    enum running_job_state state;
    struct err closing; // why, when CLOSING
    // the job; read-only once the session has started
    struct request *request; // owned
    struct bundle *bundle;   // owned
    struct job *job;         // owned
    struct dataset *dataset; // owned
    struct split split;
    struct plan plan;
    char *id;         // owned
    char *history_id; // its id in the store; owned
    json_t *texts;    // to be embedded first; owned, NULL: none
    bool simulated;
    struct model_facts facts; // of models, for the session
    int32_t workers_seen; // workers up to this number have been compared with
                          // the facts
    const struct optimizer *optimizer;
    const void *params; // of the optimizer; in the job's arena
    // the session
    struct session *session; // owned
    void *pair;              // our end
    struct ending *ending;   // owned, when ENDED
    // tasks
    struct task_list tasks;    // not finished; oldest first
    struct task_list finished; // waiting to become durable
    int64_t task_age;          // of the newest task
    // for people
    struct progress progress;
    struct course course;
    int64_t examples; // run anew, in finished tasks
    char phase[64], note[240];
    char changes[240]; // since the last job of that name; "" if none
    int64_t started_ms, ended_ms, wall_before_ms;
    int64_t waiting_ms; // since when there has been work; -1: there is none
    // beginning and end
    bool interrupted; // by the end of the coordinator: the next one resumes it
    struct running_job_past past;
    bool begun; // its index belongs to the loop's store
    struct history_cost costs[BILL_COUNT]; // once SUMMED
    double judge_noise;                    // once SUMMED; < 0: not known
    int64_t unjudged;
    struct running_job_result result; // once STORED; owned
    uint64_t result_put;
    struct running_job *next;
};

#endif
