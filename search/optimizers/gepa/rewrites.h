// rewrites: the steps of a parent whose instruction the teacher writes anew.
//
// One reflection a step (search/toolkit/reflection.h), all under way together,
// each from what that step did in the parent's runs on a minibatch:
//
//   rewrites_init, _add    which steps
//   rewrites_ask           what went wrong, to the teacher
//   rewrites_take          the new instructions, into the child
//
// A step of which no run says anything is dropped on the way. One for which the
// teacher writes nothing new keeps its instruction.
//
// For the job's own thread.

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

// One predictor of the program; its question is there once it was asked.
struct rewrite {
    size_t predictor;
    struct question question;
};

// Zeroed is none.
struct rewrites {
    struct session *session; // borrowed
    int64_t iteration;       // from 0; tells one's draws from another's
    struct rewrite *items;   // owned
    size_t n;
};

// What the teacher is shown. All borrowed for the call, the form until the
// rewrites are released.
struct rewrites_source {
    const struct reflection_form *form;
    const struct candidate *parent;
    const struct runs *runs; // of the parent, done
    bool unreadable;         // show replies that could not be read as well
};

// Makes room for `most` steps, none of which is there yet. False without
// memory.
bool rewrites_init(struct rewrites *rewrites, struct session *session,
                   int64_t iteration, size_t most, struct err *err);

// Waits for questions that are under way. Zeroed is fine.
void rewrites_release(struct rewrites *rewrites);

// Into the room that rewrites_init made.
void rewrites_add(struct rewrites *rewrites, size_t predictor);

// Submits a question about each step and returns at once. Those that remain are
// the ones that were asked about; n == 0: there is nothing to wait for.
bool rewrites_ask(struct rewrites *rewrites,
                  const struct rewrites_source *source, struct err *err);

// Waits for the answers and sets them as instructions of the child, which is
// not sealed. *changed: whether there was one that said something new.
bool rewrites_take(struct rewrites *rewrites, struct candidate *child,
                   bool *changed, struct err *err);

#endif
