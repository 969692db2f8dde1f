// stepper: one example on its way through a program. Pure: outputs in, next
// calls out.
//
//              stepper_next                 stepper_answer, readable
//   WAITING ----------------> ASKED ---------------------------------> DONE
//   (inputs of the step       |  ^
//    are there)               |  | stepper_next, attempt 1 (repair)
//                             v  |
//                           BROKEN --- unreadable again, cut, empty --> FAILED
//
// A step whose `when` does not hold is left out: its values are null, and steps
// that need one of them are left out as well. An input that may be null
// (`optional: true`) is not needed, nor is an entry of a composed value.
//
// A step that FAILED ends the run with that outcome, unless none of its
// outputs is needed, or whoever needs them can do without (a vote). Steps that
// depend on it do not run; the others still do, so that the calls of a run do
// not depend on which answer comes first. Steps that compute are done in
// passing. Not thread-safe.

#ifndef PROGRAM_RUN_STEPPER_H
#define PROGRAM_RUN_STEPPER_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/call.h"
#include "program/graph/adapter.h"
#include "program/graph/ask.h"
#include "program/graph/plan.h"
#include "program/run/question_cache.h"

// What came of a run. Stored and shown by name: add at the end.
enum run_outcome {
    RUN_DONE = 0,     // all needed outputs are there
    RUN_FORMAT = 1,   // no readable answer, after a repair call
    RUN_CUT = 2,      // cut at num_predict
    RUN_EMPTY = 3,    // nothing, or nothing after thinking
    RUN_LOOP = 4,     // one piece, or white space, without end
    RUN_TOO_LONG = 5, // the prompt does not fit
    RUN_UNJUDGED = 6, // done, but no judge's answer could be read: no score
};
enum { RUN_OUTCOME_COUNT = 7 };
const char *run_outcome_name(enum run_outcome outcome);

struct stepper;

enum { STEPPER_ATTEMPTS = 2 }; // calls of a step at most: question and repair

// How many steps of a run ask somebody: its calls when no reply needs a repair.
// Searches of documents are done here and cost no call. Those that ask a model
// are plan_predictors.
int stepper_asks(const struct program *program, const struct plan *plan);

// program, plan and values, which are the candidate's (candidate.h) or NULL,
// are borrowed and outlive it; inputs as program_inputs made them (a reference
// is taken).
struct stepper *stepper_new(const struct program *program,
                            const struct plan *plan, enum adapter adapter,
                            const json_t *values, json_t *inputs,
                            struct err *err);
void stepper_free(struct stepper *stepper); // NULL is fine

// Says that the inputs are those of that row: questions that follow from them
// alone are taken from the cache, or kept there. cache is borrowed and outlives
// the stepper.
void stepper_share(struct stepper *stepper, struct question_cache *cache,
                   size_t row);

// Puts outputs, by name, in place of what a step would answer: it is not asked,
// and what depends on it goes on from there. Before the first stepper_next. A
// reference is taken. A step that the plan leaves out stays out.
bool stepper_give(struct stepper *stepper, int step, json_t *outputs,
                  struct err *err);

// The next thing to ask now; out->part is the step, and for a model the payload
// goes behind the prefix of the step's candidate part. The payload is borrowed
// until stepper_let_go, the step's answer, or the end. False when there is
// nothing to ask (see stepper_ended) or, with err set, on failure.
bool stepper_next(struct stepper *stepper, struct ask *out, struct err *err);

// Frees the payload of what step asked, before its answer is there: thousands
// of runs may wait for answers, and none of them needs its payload meanwhile.
void stepper_let_go(struct stepper *stepper, int step);

// The answer to what step asked.
bool stepper_answer(struct stepper *stepper, int step,
                    const struct call_answer *answer, struct err *err);

// The form that the answer of a step has, or is to have.
enum adapter stepper_form(const struct stepper *stepper, int step);

bool stepper_ended(const struct stepper *stepper);
enum run_outcome stepper_outcome(const struct stepper *stepper);
int stepper_failed_step(const struct stepper *stepper); // -1: none

// What was wrong with the last answer of the failed step, in one sentence;
// "" where none failed or its answer was no text. Borrowed.
const char *stepper_problem(const struct stepper *stepper);

// Appends what helps to improve the step that failed: its name, what was wrong
// with its last reply, and the form that was expected. Appends nothing if no
// step failed.
void stepper_feedback(const struct stepper *stepper, struct buf *out);

unsigned stepper_lenient(const struct stepper *stepper); // reply_leniency bits
int stepper_repairs(const struct stepper *stepper);

// The program's outputs by name, null where they were not computed; NULL until
// the run has ended. Borrowed, and read-only as all of these: they may be the
// very values of a step.
const json_t *stepper_outputs(const struct stepper *stepper);

// A step's inputs and outputs by name; NULL where it did not run, which makes
// no demo. Borrowed.
const json_t *stepper_step_inputs(const struct stepper *stepper, int step);
const json_t *stepper_step_outputs(const struct stepper *stepper, int step);

#endif
