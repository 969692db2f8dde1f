// running_job_state: the members of a running job (running_job.h), for the
// files that implement it. running_job_state.c has the functions that only read
// it.

#ifndef COORDINATOR_RUNNING_JOB_STATE_H
#define COORDINATOR_RUNNING_JOB_STATE_H

#include "coordinator/course.h"
#include "coordinator/job_spec.h"
#include "coordinator/running_job.h"
#include "coordinator/task_list.h"
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

// --- the parts, each with the file that works on it ---

// running_job_past.c: what the store knows of the job. The loop reserves the
// number, a background thread fills in the rest, and the loop adopts it.
struct running_job_past {
    int64_t reserved_no;       // the job's number if it is new
    struct job_index *index;   // owned until the loop's store has it
    struct draft *draft;       // what will be put; owned
    char *digests[ROLE_COUNT]; // of models pinned before, or ""; owned
    bool adopted;              // the loop's store has draft and index
    bool was_done;             // an earlier run was completed
    int64_t wall_ms;           // that earlier sessions took
    char changes[240];         // since the last job of that name; "" if none
    int32_t *excluded;         // rows to leave out from now on; owned
    size_t n_excluded;
};

// running_job_wait.c: whom it waits for.
struct running_job_wait {
    int64_t since_ms;     // there has been work since then; -1: there is none
    int32_t workers_seen; // workers up to this number have been compared with
                          // the models
};

// running_job_progress.c and running_job_news.c: what people see.
struct running_job_view {
    struct progress progress; // what the session has said; the rest is 0
    struct course course;
    int64_t examples; // run anew, in finished tasks
    char phase[64];
    char note[240]; // one sentence, or ""
};

// running_job_result.c: what the job cost, for its first and its last line.
struct running_job_bill {
    struct history_cost costs[BILL_COUNT];
    double judge_noise; // < 0: not known
    int64_t unjudged;
};

// running_job_result.c: its last steps.
struct running_job_end {
    struct ending *ending; // the session's; owned, NULL before
    int64_t at_ms;
    struct running_job_result result; // once STORED; owned
    uint64_t put;                     // of the result
};

// --- the whole ---

struct running_job {
    struct engine *engine;
    struct job_work work; // the part that evaluations and flights see
    enum running_job_state state;
    struct err closing; // why, when CLOSING
    bool interrupted; // by the end of the coordinator: the next one resumes it
    struct job_spec spec; // read-only once the session has started
    struct running_job_past past;
    int64_t started_ms;
    // the session
    struct session *session;  // owned
    void *pair;               // our end
    struct model_facts facts; // of models, for the session
    json_t *texts;            // to be embedded first; owned, NULL: none
    // its tasks
    struct task_list tasks;    // not finished; oldest first
    struct task_list finished; // waiting to become durable
    int64_t task_age;          // of the newest task

    struct running_job_wait wait;
    struct running_job_view view;
    struct running_job_bill bill; // of earlier sessions; of all once SUMMED
    struct running_job_end end;
    struct running_job *next;
};

#endif
