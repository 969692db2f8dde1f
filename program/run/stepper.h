// stepper: moves one example through a program. Pure: outputs in, next calls
// out.
//
//              stepper_next                 stepper_answer, readable
//   WAITING ----------------> ASKED ---------------------------------> DONE
//   (the step's inputs        |  ^
//    are known)               |  | stepper_next, attempt 1 (repair)
//                             v  |
//                           BROKEN --- unreadable again, cut, empty --> FAILED
//
// If a step's `when` does not hold, the step is left out: its values are null,
// and steps that need one of them are left out as well. A step does not need an
// input that may be null (`optional: true`), nor an entry of a composed value.
//
// A step that FAILED ends the run with that outcome, unless none of its outputs
// is needed, or the step that reads them can cope without them (a vote). Steps
// that depend on it do not run. The others still do, so that the calls of a run
// do not depend on which answer comes first. Steps that only compute are done
// along the way. Not thread-safe.

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

// How a run ended. Stored and shown by name: add new ones at the end.
enum run_outcome {
    RUN_DONE = 0,     // all needed outputs exist
    RUN_FORMAT = 1,   // no readable answer, after a repair call
    RUN_CUT = 2,      // cut at num_predict
    RUN_EMPTY = 3,    // no text, or none after the thinking
    RUN_LOOP = 4,     // one piece, or white space, repeated endlessly
    RUN_TOO_LONG = 5, // the prompt does not fit
    RUN_UNJUDGED = 6, // done, but no judge gave a readable score
};
enum { RUN_OUTCOME_COUNT = 7 };
const char *run_outcome_name(enum run_outcome outcome);

struct stepper;

enum { STEPPER_ATTEMPTS = 2 }; // most calls of a step: question and repair

// Returns how many steps of a run ask someone, which is its number of calls if
// no reply needs a repair. Searches of documents are done locally and cost no
// call. The steps that ask a model are plan_predictors.
int stepper_asks(const struct program *program, const struct plan *plan);

// Creates a stepper. program, plan and values (the candidate's, see
// candidate.h, or NULL) are borrowed and must outlive it. inputs come from
// program_inputs; a reference is taken.
struct stepper *stepper_new(const struct program *program,
                            const struct plan *plan, enum adapter adapter,
                            const json_t *values, json_t *inputs,
                            struct err *err);
void stepper_free(struct stepper *stepper); // accepts NULL

// Says that the inputs are those of that row. Questions that depend only on the
// row are then taken from the cache, or kept there. cache is borrowed and must
// outlive the stepper.
void stepper_share(struct stepper *stepper, struct question_cache *cache,
                   size_t row);

// Provides outputs, by name, in place of a step's answer: the step is not
// asked, and whatever depends on it continues from there. Call before the first
// stepper_next. Takes a reference. A step that the plan leaves out stays out.
bool stepper_give(struct stepper *stepper, int step, json_t *outputs,
                  struct err *err);

// Returns the next thing to ask. out->part is the step; for a model, the
// payload follows the prefix of the step's candidate part. The payload is
// borrowed until stepper_free_payload, the step's answer, or stepper_free.
// Returns false if there is nothing to ask (see stepper_ended) or, with err
// set, on failure.
bool stepper_next(struct stepper *stepper, struct ask *out, struct err *err);

// Frees the payload of a step's question before the answer arrives. Thousands
// of runs may be waiting for answers, and none of them needs its payload until
// then.
void stepper_free_payload(struct stepper *stepper, int step);

// Takes the answer to what the step asked.
bool stepper_answer(struct stepper *stepper, int step,
                    const struct call_answer *answer, struct err *err);

// Returns the form that the step's answer has, or should have.
enum adapter stepper_form(const struct stepper *stepper, int step);

bool stepper_ended(const struct stepper *stepper);
enum run_outcome stepper_outcome(const struct stepper *stepper);
int stepper_failed_step(const struct stepper *stepper); // -1 if none

// Says in one sentence what was wrong with the last answer of the failed step;
// "" if no step failed or the answer was not a text. Borrowed.
const char *stepper_problem(const struct stepper *stepper);

// Appends what helps to improve the step that failed: its name, what was wrong
// with its last reply, and the expected form. Appends nothing if no step
// failed.
void stepper_feedback(const struct stepper *stepper, struct buf *out);

unsigned stepper_lenient(const struct stepper *stepper); // enum reply_leniency
int stepper_repairs(const struct stepper *stepper);

// Returns the program's outputs by name, null if they were not computed; NULL
// until the run has ended. Borrowed and read-only like all results here,
// because they may be the values of a step.
const json_t *stepper_outputs(const struct stepper *stepper);

// Return a step's inputs and outputs by name; NULL if the step did not run, so
// it makes no demo. Borrowed.
const json_t *stepper_step_inputs(const struct stepper *stepper, int step);
const json_t *stepper_step_outputs(const struct stepper *stepper, int step);

#endif
