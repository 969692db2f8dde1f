// teacher: our own questions to the teacher, apart from the user's program.
//
// A question of the proposer or of the filling of demos is a program of one
// step, and is rendered, sent, stored and parsed like any other. It has room
// for a text, however small num_predict is. A question whose answer cannot be
// read, or is not usable (prose.h), is asked again up to three times, each time
// as another replicate and draw. After that it stays unanswered, and the search
// continues without it; it never counts as a score. Questions that are asked
// together are under way together, so more of them take longer only if all
// workers are busy.
//
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_TEACHER_H
#define SEARCH_TOOLKIT_TEACHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/plan.h"
#include "program/graph/program.h"
#include "search/session/session.h"

enum { TEACHER_ATTEMPTS = 4 };

// The form of a question: made once, used by many questions.
struct form {
    struct program *program;     // owned
    struct candidate *candidate; // owned, sealed
    struct plan plan; // an answer may lack the outputs that the plan does not
                      // read
};

// Makes a form from a step's instruction and fields, which are copied. The kind
// of the step is `predict`, whatever `single` says.
bool form_init(struct form *form, const struct single_step *single,
               struct err *err);
void form_release(struct form *form); // accepts a zeroed form

// Returns a field of plain text. Borrows name and desc.
struct field form_text(const char *name, const char *desc);

// Returns how many tokens of the teacher's context a question can show: what
// its answer and our own words leave. Compare it with prompt_estimate_tokens.
int64_t teacher_room(const struct session *session);

struct question {
    const struct form *form; // borrowed until it is released
    json_t *inputs;          // owned
    const char *purpose;     // static; see struct sampling
    double temperature;      // of the first attempt; at least 1 afterwards
    int64_t draw;            // distinct among the questions of a purpose
    bool prose;              // the answer must be text of the teacher's own
                             // (prose.h)
    json_t *answer;          // owned: outputs by name, or NULL
    struct runs *runs;       // owned: the attempt under way
    struct session *session; // borrowed: the session that it was submitted to
    int attempt;
};

// Waits for an attempt that is under way, then releases the question. Accepts a
// zeroed one.
void question_release(struct question *question);

// Frees runs, done or not. Runs under way still borrow their program, so they
// are waited for, ignoring how they end. Accepts NULL.
void runs_drop(struct session *session, struct runs *runs);

// Submit a question, and wait for its answer, asking again if needed. Return
// false if the job cannot continue; a question without a usable answer is no
// failure.
bool question_submit(struct session *session, struct question *question,
                     struct err *err);
bool question_wait(struct session *session, struct question *question,
                   struct err *err);

// Submits and waits for n questions together.
bool questions_ask(struct session *session, struct question *questions,
                   size_t n, struct err *err);

#endif
