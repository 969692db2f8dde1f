// rewrites: the steps of a parent whose instructions the teacher rewrites.
//
// There is one reflection per step (search/toolkit/reflection.h), all under way
// at the same time, each based on what that step did in the parent's runs on a
// minibatch:
//
//   rewrites_init, _add    choose the steps
//   rewrites_ask           shows the teacher what went wrong
//   rewrites_take          puts the new instructions into the child
//
// A step about which no run says anything is dropped. A step for which the
// teacher writes nothing new keeps its instruction.
//
// Call only from the job's own thread.

#ifndef SEARCH_OPTIMIZERS_GEPA_REWRITES_H
#define SEARCH_OPTIMIZERS_GEPA_REWRITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "program/graph/candidate.h"
#include "search/session/session.h"
#include "search/toolkit/reflection.h"
#include "search/toolkit/teacher.h"

// One predictor of the program; its question is set once it was asked.
struct rewrite {
    size_t predictor;
    struct question question;
};

// Zeroed means none.
struct rewrites {
    struct session *session; // borrowed
    int64_t iteration;       // from 0; separates the draws of iterations
    struct rewrite *items;   // owned
    size_t n;
};

// What the teacher is shown. Everything is borrowed for the call, and the form
// until the rewrites are released.
struct rewrites_source {
    const struct reflection_form *form;
    const struct candidate *parent;
    const struct runs *runs; // of the parent, done
    bool unreadable;         // also show replies that could not be read
};

// Makes room for `most` steps and starts with none. Returns false when out of
// memory.
bool rewrites_init(struct rewrites *rewrites, struct session *session,
                   int64_t iteration, size_t most, struct err *err);

// Waits for questions that are under way, then releases them. Accepts zeroed
// rewrites.
void rewrites_release(struct rewrites *rewrites);

// Adds a step; there must be room (rewrites_init).
void rewrites_add(struct rewrites *rewrites, size_t predictor);

// Submits a question about each step and returns at once. Keeps only the steps
// that were asked about; with n == 0 there is nothing to wait for.
bool rewrites_ask(struct rewrites *rewrites,
                  const struct rewrites_source *source, struct err *err);

// Waits for the answers and sets them as instructions of the child, which is
// not sealed. *changed tells whether any answer said something new.
bool rewrites_take(struct rewrites *rewrites, struct candidate *child,
                   bool *changed, struct err *err);

#endif
