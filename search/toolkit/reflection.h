// reflection: a better instruction for one step, written by the teacher from
// the results of the present one.
//
// The teacher sees the step, its present instruction, and examples: what the
// step was given, what it answered, and the feedback on that. One call asks for
// one new instruction. A teacher that sees a hundred failures at once writes a
// worse instruction than from six, so the caller chooses which examples are
// worth showing. If the examples do not fit the teacher's context, the long
// values of all of them are cut at the same limit, so that no example is lost.
//
// The question is an ordinary one (teacher.h): any number of them may be under
// way, and a question whose answer is not an instruction is asked again. If
// none comes, the search continues without it.
//
//   reflection_form_init     once
//   reflection_prepare       makes a question from cases
//   question_submit, _wait   (teacher.h)
//   reflection_take          returns the new instruction, or nothing
//
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_REFLECTION_H
#define SEARCH_TOOLKIT_REFLECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/program.h"
#include "search/session/session.h"
#include "search/session/task.h"
#include "search/toolkit/teacher.h"

// One run of the step. Everything is borrowed.
struct reflection_case {
    const json_t *inputs;  // of the step, by name
    const json_t *outputs; // the same; NULL: the reply could not be read
    const char *feedback;  // NULL: nothing to say
    double score;          // of the whole program, 0 to 1
};

// Fills *out with the run of a step in a traced item. Returns false if the step
// did not run, so that the item says nothing about it.
bool reflection_case_of(const struct task_item *item, int step,
                        struct reflection_case *out);

struct reflection_options {
    bool hypotheses; // the teacher first names the one cause that it sees, and
                     // the instruction has to fix that
    bool hints;      // each reflection has a hint on how to proceed
};

// The question, made once.
struct reflection_form {
    struct form form;
    struct reflection_options options;
    int64_t room; // tokens of the teacher's context for the examples
};

// Makes the question that the options describe. Returns false when out of
// memory.
bool reflection_form_init(struct reflection_form *form,
                          const struct session *session,
                          const struct reflection_options *options,
                          struct err *err);
void reflection_form_release(struct reflection_form *form); // zeroed is fine

struct reflection {
    const struct step *step;
    const char *instruction;             // the present one
    const struct reflection_case *cases; // in the order shown
    size_t n_cases;
    const char *hint;   // NULL: none; only if the form has hints
    double temperature; // of the first attempt
    int64_t draw;       // distinct among the reflections of a job
};

// Prepares a question; the caller releases it. What `reflection` points to need
// not outlive the call, but the form must outlive the question.
bool reflection_prepare(const struct reflection_form *form,
                        const struct reflection *reflection,
                        struct question *question, struct err *err);

// Takes the new instruction once the question is answered; the caller frees it.
// *instruction is NULL if the teacher gave nothing usable or nothing new. A
// hypothesis, if the form asks for one, only helps the teacher to think.
bool reflection_take(const struct question *question, char **instruction,
                     struct err *err);

#endif
