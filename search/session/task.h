// task: a request of a job's thread to the coordinator's loop.
//
// A task is one candidate of one program on a list of items. The session fills
// the upper half and sends the pointer over the job's socket pair; from then on
// the loop owns the task. The loop runs it, fills the lower half, waits until
// every answer that the results rest on is durable, and sends the pointer back.
// So no lock is needed, and an optimizer cannot see anything that is not
// committed.
//
// A trial may cover 200,000 rows, so before and after its run an item of a
// trial is only a row and a mark. During its run it is a full item, owned by
// the evaluation (coordinator/evaluation.c). Runs are few, so they keep a full
// item each, with everything that was seen on the way.

#ifndef SEARCH_SESSION_TASK_H
#define SEARCH_SESSION_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "program/graph/plan.h"
#include "program/graph/program.h"
#include "program/job/job.h"
#include "program/run/stepper.h"
#include "search/session/ledger.h"

// How answers are drawn. At temperature 0 the request's seed is the replicate
// number, so that equal prompts are equal calls. Above 0 it is a hash of the
// job's seed, the purpose, the step, the trial and the draw.
struct sampling {
    double temperature;  // < 0: the role's own option
    const char *purpose; // static: "trial", "bootstrap", "propose", "summary"
    int64_t trial;
    int64_t draw;
    int32_t replicate;
};

enum item_state {
    ITEM_OPEN,     // not finished
    ITEM_DONE,     // the run ended; see outcome and scored
    ITEM_EXCLUDED, // the row is excluded and would have needed a new call
    ITEM_HOLE,     // some of its calls could not be served
    ITEM_UNPAID,   // the budget was exhausted before it
};

struct task_item {
    // asked
    int row;        // of the job's dataset, or -1
    json_t *inputs; // of the program; owned reference
    json_t *text;   // to embed, in place of a run; owned; NULL: none
    json_t *given;  // {step: outputs} that replace the answers of these steps;
                    // owned, or NULL
    // answered
    enum item_state state;
    enum run_outcome outcome;
    bool scored;
    double score;  // 0 for a model fault
    float p_right; // of the right label (program/run/right.h); < 0: not told
    double judge_noise; // its judge's standard deviation; < 0: unknown
    int64_t fault_call; // the call whose answer ended the run; 0: none
    char *feedback; // owned: why the score is not 1, in words; NULL: nothing to
                    // say
    unsigned lenient;
    int repairs;
    json_t *outputs;       // traced: the program's outputs; owned
    json_t **step_inputs;  // traced: one per step, NULL where it did not run
    json_t **step_outputs; // traced
};

#define TASK_ITEM_INIT(of_row)                                                 \
    ((struct task_item){.row = (of_row), .p_right = -1, .judge_noise = -1})

// What became of an item, as far as its task and its trial need it.
struct task_mark {
    double score;
    int64_t tokens; // of its calls
    float p_right;
    unsigned n_calls : 16;
    unsigned state : 3;   // enum item_state
    unsigned outcome : 4; // enum run_outcome
    unsigned scored : 1;
    unsigned lenient : 1;
    unsigned paid : 1; // its calls were used before, so they no longer count
};

_Static_assert(ITEM_UNPAID < 8 && RUN_OUTCOME_COUNT <= 16,
               "states and outcomes fit into a mark");

enum trial_kind { TRIAL_BASELINE, TRIAL_MINIBATCH, TRIAL_FULL };
extern const char *const trial_kind_names[]; // "baseline", ...

// Room for the free text that a teacher is asked for (an instruction, a
// summary, a reason), whatever num_predict says: 40 tokens suit the student's
// label, but cut off every sentence.
enum { TASK_TEXT_TOKENS = 512 };

// What a task may use of the budget.
struct task_limit {
    bool set; // false: whatever it needs
    struct use in_all;
    struct use of_item; // the most that one of its items can use
};

// The loop's own notes about a task in its hands.
struct task_run {
    int64_t age;        // order of arrival at its running job
    size_t open;        // items not finished
    size_t known;       // items that the store was asked about
    size_t cursor;      // first item that was not considered yet
    size_t closed;      // items before the first open one, and
    struct use used;    // what those took of the limit
    bool out_of_tokens; // tokens, not calls, ran out for the rest
    uint64_t put;       // number in the store of the last answer it rests on
    struct prefix **prefixes; // one per step and form, NULL until needed
    struct task *next;
};

struct task {
    // asked
    const struct program *program; // borrowed; outlives the task
    const struct plan *plan;
    struct candidate *candidate; // a reference
    struct settings settings;    // the job's, with the candidate's on top
    enum role role;
    struct sampling sampling;
    bool scored; // by the job's metric; items are rows
    bool kept;   // evaluations are stored and looked up: of trials
    bool traced;
    bool logprobs;  // ask for log-probabilities, for p_right
    bool free_text; // replies have room for TASK_TEXT_TOKENS
    int64_t trial;  // number of the trial; 0 for other tasks
    int64_t batch;  // tasks of one batch are waited for together (dispatch.h)
    enum trial_kind kind;
    const char *reason;      // why the candidate was made; static or NULL
    struct task_limit limit; // budget.h
    struct task_item *items; // of runs; owned. NULL: items are only rows
    int32_t *rows;           // of the job's dataset, or -1; owned
    size_t n_items;
    size_t n_paid; // items that cost nothing: a trial of the same candidate was
                   // scored on their rows
    // answered
    struct task_mark *marks; // one per item; owned
    struct used_calls calls; // of all items, in the order in which they ended
    size_t fault_item;  // the first that ended in a model fault; n_items: none
    int64_t fault_call; // the call at which it ended, or 0
    int64_t candidate_id; // in the history; of trials
    struct err err;       // if set, the task has holes or was stopped
    void *owner;          // the session's trial or runs
    struct task_run run;  // the loop's own
};

// Returns the options of the task's calls except the seed: those of its
// settings, at the temperature of its sampling, with room for free text.
struct call_options task_options(const struct task *task);

// Creates a task with all rows -1 and all items open. `traced` is for runs.
// Returns NULL when out of memory.
struct task *task_new(size_t n_items, bool traced, struct err *err);
void task_free(struct task *task); // accepts NULL

// Records that an item has ended and used these calls: fills its mark, and
// updates what the task keeps about all items. The item stays the caller's.
void task_settle(struct task *task, size_t at, const struct task_item *item,
                 const struct used_call *calls, size_t n_calls);

// Frees what an item owns.
void task_item_release(struct task_item *item, size_t n_steps);

#endif
