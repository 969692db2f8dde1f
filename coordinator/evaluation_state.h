// evaluation_state: the members of an evaluation (evaluation.h), for the files
// that implement it:
//
//   evaluation.c            its steps, from its start to its end
//   evaluation_questions.c  what it asks: the order of each question
//   evaluation_ask.c        from a question to its answer: stored, joined or
//                           paid
//   evaluation_answers.c    what it does with the answer
//   evaluation_calls.c      the calls that it used
//   evaluation_result.c     the score, and what remains of a finished item

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
    struct ask ask;         // what to ask once the embedding has come
    bool asked;             // it has been asked for: a repair needs no other
    struct direction *near; // owned; NULL if there is none
};

struct evaluation {
    struct job_work *work;
    // evaluation_take, through which evaluation_ask.c hands over an answer that
    // is stored: what is done with it may ask the next question there.
    bool (*take)(struct evaluation *evaluation, enum asker asker, int part,
                 const struct call_answer *answer, struct err *err);
    struct task *task;      // NULL once the item is finished
    struct task_item *item; // likewise; the task's own item in a run, else
                            // `own`
    struct task_item own;   // of a row that is scored; released with the item
    size_t at;              // index of the item in its task
    json_t *example;        // fields of the row; owned, NULL until needed
    // The calls of the item in the order of what asked for them, step by step
    // and then the metric, regardless of which answer came first. Owned, as are
    // their places in that order.
    struct used_call *calls;
    int *places;
    size_t n_calls;
    struct stepper *stepper; // owned; NULL once the item is finished
    struct picking *picking; // one per step, n_picking; owned; NULL until
                             // needed
    size_t n_picking;
    size_t waiting; // number of flights that it waits for
    bool judging;
    size_t n_outside, outside_missing;
    struct score *outside; // n_outside; owned; NULL if the metric asks nobody
    uint8_t tries[METRIC_MAX_OUTSIDE]; // answers so far that could not be read
    bool unjudged; // all tries of one ask failed in that way
    struct right right;
    struct evaluation *previous, *next; // in the job's list
};

#endif
