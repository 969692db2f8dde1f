// task: what a job's thread asks of the coordinator's loop.
//
// One candidate of one program on a list of items. The session fills the
// upper half and sends the pointer over the job's socket pair; from then on
// the task is the loop's alone. The loop runs it, fills the lower half, waits
// until every answer behind it is durable, and sends the pointer back. So no
// lock is needed, and an optimizer cannot see what is not committed.
//
// A trial may be on 200,000 rows, so all that a task has of each item before
// and after its run is a row and a mark. Runs, which are few, have an item
// each, with all that was seen on the way. Of a trial an item is there only
// while it is run, and is the evaluation's (coordinator/evaluation.c).

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
// number, so that equal prompts are equal calls; above 0 it is a hash of job
// seed, purpose, step, trial and draw.
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
    ITEM_HOLE,     // calls of it could not be served
    ITEM_UNPAID,   // the budget did not reach it
};

struct task_item {
    // asked
    int row;        // of the job's dataset, or -1
    json_t *inputs; // of the program; owned reference
    json_t *text;   // to be embedded, in place of a run; owned; NULL: none
    json_t *given;  // {step: outputs} that stand in place of what these steps
                    // would answer; owned, or NULL
    // answered
    enum item_state state;
    enum run_outcome outcome;
    bool scored;
    double score;  // 0 for a model fault
    float p_right; // of the right label (program/run/right.h); < 0: not told
    double judge_noise; // deviation of the score by its judge; < 0: not known
    int64_t fault_call; // the call whose answer ended the run; 0: none
    char *feedback; // owned: why it is not 1, in words; NULL: nothing to say
    unsigned lenient;
    int repairs;
    json_t *outputs;       // traced: the program's outputs; owned
    json_t **step_inputs;  // traced: one a step, NULL where it did not run
    json_t **step_outputs; // traced
};

#define TASK_ITEM_INIT(of_row)                                                 \
    ((struct task_item){.row = (of_row), .p_right = -1, .judge_noise = -1})

// What came of an item, as far as its task and its trial need it.
struct task_mark {
    double score;
    int64_t tokens; // of its calls
    float p_right;
    unsigned n_calls : 16;
    unsigned state : 3;   // enum item_state
    unsigned outcome : 4; // enum run_outcome
    unsigned scored : 1;
    unsigned lenient : 1;
    unsigned paid : 1; // its calls were used before: they count no more
};

_Static_assert(ITEM_UNPAID < 8 && RUN_OUTCOME_COUNT <= 16,
               "states and outcomes fit into a mark");

enum trial_kind { TRIAL_BASELINE, TRIAL_MINIBATCH, TRIAL_FULL };
extern const char *const trial_kind_names[]; // "baseline", ...

// Room for the free text that a teacher is asked for (an instruction, a
// summary, a reason), whatever num_predict says: 40 tokens are sensible for the
// student's label and cut every sentence.
enum { TASK_TEXT_TOKENS = 512 };

struct task {
    // asked
    const struct program *program; // borrowed, outlives the task
    const struct plan *plan;
    struct candidate *candidate; // a reference
    struct settings settings;    // the job's, with the candidate's laid over
    enum role role;
    struct sampling sampling;
    bool scored; // by the job's metric; items are rows
    bool kept;   // its evaluations are stored and looked up: scored trials
    bool traced;
    bool logprobs;  // log-probabilities are asked for, for p_right
    bool free_text; // replies have room for TASK_TEXT_TOKENS
    int64_t trial;  // number of the trial, 0 for other tasks
    int64_t batch;  // tasks of one are waited for together (dispatch.h)
    enum trial_kind kind;
    const char *reason; // why the candidate was made; static or NULL
    bool limited;       // its items may use `limit` in all (budget.h)
    struct use limit;
    struct use item_most;    // what one of them can come to
    struct task_item *items; // of runs; owned. NULL: items are rows alone
    int32_t *rows;           // of the job's dataset, or -1; owned
    size_t n_items;
    size_t n_paid; // items that cost nothing: a trial of the same candidate
                   // was scored on their rows
    // answered
    struct task_mark *marks; // one an item; owned
    struct used_call *calls; // of all items, in the order in which they ended;
    size_t n_calls;          // owned
    size_t cap_calls;
    bool no_memory;     // some of the calls are missing
    size_t fault_item;  // the first that ended in a model fault; n_items: none
    int64_t fault_call; // the call that it ended at, or 0
    struct err err;     // set: the task has holes or was stopped
    void *owner;        // the session's: trial or runs
    // the loop's own
    int64_t age;        // in order of arrival at its running job
    size_t open;        // items not finished
    size_t known;       // items for which the store was asked
    size_t cursor;      // first item that was not considered yet
    size_t closed;      // items before the first that is open, and
    struct use used;    // what those took of the limit
    bool out_of_tokens; // they, not calls, left the rest without room
    uint64_t put;       // number in the store of the last answer behind it
    int64_t candidate_id;
    struct prefix **prefixes; // one a step and form, NULL until needed
    struct task *next;
};

// The options of its calls except the seed: its settings', at the temperature
// of its sampling, with room for free text.
struct call_options task_options(const struct task *task);

// Rows are -1, all items open. traced: they are runs. NULL without memory.
struct task *task_new(size_t n_items, bool traced, struct err *err);
void task_free(struct task *task); // NULL is fine

// The item has ended, and used these calls. Its mark and what the task has of
// all of them follow; the item stays the caller's.
void task_settle(struct task *task, size_t at, const struct task_item *item,
                 const struct used_call *calls, size_t n_calls);

// Frees what an item owns.
void task_item_release(struct task_item *item, size_t n_steps);

#endif
