// evaluation_state: what an evaluation (evaluation.h) is made of, for the files
// that it is written in:
//
//   evaluation.c         its steps: what it asks for, and what it does with
//                        answers
//   evaluation_ask.c     from a question to its answer: stored, joined or paid
//   evaluation_calls.c   the calls that it used
//   evaluation_result.c  the score, and what is left of a finished item

#ifndef COORDINATOR_EVALUATION_STATE_H
#define COORDINATOR_EVALUATION_STATE_H

#include "coordinator/evaluation.h"
#include "program/graph/ask.h"
#include "program/metric/metric.h"
#include "program/metric/score.h"
#include "program/run/right.h"
#include "program/run/stepper.h"
#include "retrieve/vectors.h"

// A step whose demos are picked by the embedding of its question.
struct picking {
    struct ask ask;         // for when that is there
    bool asked;             // it was: a repair needs no other
    struct direction *near; // owned; NULL: it has none
};

struct evaluation {
    struct job_work *work;
    // Hands an answer to whoever asked for it, step or part; set by
    // evaluation.c.
    bool (*take)(struct evaluation *evaluation, enum asker asker, int part,
                 const struct call_answer *answer, struct err *err);
    struct task *task;      // NULL once the item is finished
    struct task_item *item; // the same; of runs the task's, else `own`
    struct task_item own;   // of a row that is scored; released with the item
    size_t at;              // of the item in its task
    json_t *example;        // fields of the row; owned, NULL until needed
    // The calls of the item in the order of what asked for them, step by step
    // and then the metric, whichever answer came first; owned, as are their
    // places in that order.
    struct used_call *calls;
    int *places;
    size_t n_calls;
    struct stepper *stepper; // owned; NULL once the item is finished
    struct picking *picking; // one a step, n_picking; owned; NULL until needed
    size_t n_picking;
    size_t waiting; // flights that it waits for
    bool judging;
    size_t n_outside, outside_missing;
    struct score *outside; // n_outside; owned; NULL: the metric asks nobody
    uint8_t tries[METRIC_MAX_OUTSIDE]; // that gave nothing to read
    bool unjudged;                     // all of one ask did
    struct right right;
    struct evaluation *previous, *next; // in the job's list
};

#endif
