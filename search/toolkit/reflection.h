// reflection: a better instruction for one step, written by the teacher from
// what the present one led to.
//
// It is shown the step, its present instruction, and examples: what the step
// was given, what it answered, and the feedback to that. One call asks for one
// new instruction. A teacher that is shown a hundred failures at once writes a
// worse one than from six, so the caller chooses which examples are worth it.
// Where the examples do not fit the teacher's context their values are cut, all
// by the same measure, so that none of them is lost.
//
// The question is one like every other (teacher.h): any number of them may be
// under way, an answer that is no instruction is asked for again, and where
// none comes the search does without.
//
//   reflection_form_init     once
//   reflection_prepare       a question, from cases
//   question_submit, _wait   (teacher.h)
//   reflection_take          the new instruction, or nothing
//
// For the job's own thread.

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

// One run of the step. All borrowed.
struct reflection_case {
    const json_t *inputs;  // of the step, by name
    const json_t *outputs; // the same; NULL: its reply could not be read
    const char *feedback;  // NULL: there is nothing to say
    double score;          // of the whole program, 0 to 1
};

// The run of a step in a traced item. False where the step did not run, so that
// the item says nothing of it.
bool reflection_case_of(const struct task_item *item, int step,
                        struct reflection_case *out);

struct reflection_options {
    bool hypotheses; // the teacher first names the one cause that it sees, and
                     // the instruction is to mend that
    bool hints;      // each reflection says how to go about it
};

// What is asked, made once.
struct reflection_form {
    struct form form;
    struct reflection_options options;
    int64_t room; // tokens of the teacher's context for what is shown
};

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
    const char *hint;   // NULL: none; only where the form has hints
    double temperature; // of the first attempt
    int64_t draw;       // distinct among the reflections of a job
};

// The caller releases question. What reflection points to need not outlive the
// call; the form must outlive the question.
bool reflection_prepare(const struct reflection_form *form,
                        const struct reflection *reflection,
                        struct question *question, struct err *err);

// Once the question is answered: the new instruction, and the hypothesis where
// the form asks for one (hypothesis may be NULL); both the caller's to free.
// *instruction is NULL where the teacher gave nothing usable or nothing new.
bool reflection_take(const struct question *question, char **instruction,
                     char **hypothesis, struct err *err);

#endif
