// teacher: questions of our own to the teacher, apart from the user's program.
//
// What the proposer and the filling of demos ask is a program of one step,
// rendered, sent, stored and parsed like every other, with room for a text
// however little num_predict leaves. A question whose answer cannot be read, or
// is not fit to be used (prose.h), is asked again up to three times, each time
// as another replicate and draw. Then it stays without an answer, and the
// search does without: it never counts as a score. Questions that are asked
// together are under way together, so more of them take longer only when all
// workers are busy.
//
// For the job's own thread.

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

// What is asked: made once, used by many questions.
struct form {
    struct program *program;     // owned
    struct candidate *candidate; // owned, sealed
    struct plan plan; // what it does not read may be missing of an answer
};

// Makes a form of a step's instruction and fields, which are copied. The kind
// of the step is `predict`, whatever single says.
bool form_init(struct form *form, const struct single_step *single,
               struct err *err);
void form_release(struct form *form); // zeroed is fine

// A field of plain text. name and desc are borrowed.
struct field form_text(const char *name, const char *desc);

// Tokens of the teacher's context for what a question shows: what its answer
// and our own words leave. Compare it with prompt_estimate_tokens.
int64_t teacher_room(const struct session *session);

struct question {
    const struct form *form; // borrowed until it is released
    json_t *inputs;          // owned
    const char *purpose;     // static; see struct sampling
    double temperature;      // of the first attempt; 1 at least from then on
    int64_t draw;            // distinct among the questions of a purpose
    bool prose;              // the answer must be text of its own (prose.h)
    json_t *answer;          // owned: outputs by name, or NULL for none
    struct runs *runs;       // owned: the attempt under way
    struct session *session; // borrowed: where it is under way
    int attempt;
};

// Waits for an attempt that is under way. Zeroed is fine.
void question_release(struct question *question);

// Frees runs, done or not: they borrow their program, so those under way are
// waited for, whatever comes of them. NULL is fine.
void runs_drop(struct session *session, struct runs *runs);

// Submits a question; waits for its answer, asking again if need be. False when
// the job cannot go on; a question without a usable answer is no failure.
bool question_submit(struct session *session, struct question *question,
                     struct err *err);
bool question_wait(struct session *session, struct question *question,
                   struct err *err);

// Both, for n of them together.
bool questions_ask(struct session *session, struct question *questions,
                   size_t n, struct err *err);

#endif
