// background: work that would take too long for a turn of the loop.
//
// Reading and checking a submission, putting a question to the store, freeing a
// large job: each is a chore that one of these threads does while the loop
// continues.
//
//        background_give            a thread             background_take
//   loop ---------------> waiting --------> in progress ----------------> loop
//              |
//              '--> refused, with a message, if too many wait or are too large
//
// While a chore is here, the loop and the chore share nothing: whatever it
// needs moves in with it and out again. Each thread reads the store over its
// own connection, which sees what is durable. A chore that must see a certain
// put says so (`after`) and waits here, not in the loop.
//
// Call give, dismiss, take and stop only from the owner, the loop.

#ifndef COORDINATOR_BACKGROUND_H
#define COORDINATOR_BACKGROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "store/store.h"

struct background;

// The head of anything to be done; embed it in a struct of your own.
struct chore {
    // Called on a thread, or on the loop by background_dismiss. reader is a
    // read-only connection; without one, reader is NULL and trouble says why.
    void (*work)(struct chore *chore, struct store *reader,
                 const struct err *trouble);
    // Called on the loop by background_take. Frees the chore.
    void (*done)(struct chore *chore);
    uint64_t after; // `work` waits until this put is durable; 0: no wait
    bool impatient; // reads what is durable rather than wait for a full disk
    bool own; // comes from the loop itself: never refused, and first in line
    size_t bytes;       // memory that it holds, for the bound
    struct chore *next; // private to background
};

struct background_options {
    struct store *store; // borrowed: read it, and wait for its puts
    int threads;
    size_t max_chores; // in progress or waiting
    size_t max_bytes;  // of all chores; a single one may be larger
    const char *busy;  // the message when a chore is refused; borrowed
};

// Returns NULL on failure.
struct background *background_start(const struct background_options *options,
                                    struct err *err);
// Does what is still waiting, joins the threads, and hands every chore to
// `done`. Accepts NULL.
void background_stop(struct background *background);

// Takes the chore, or fails with ERR_BUSY.
bool background_give(struct background *background, struct chore *chore,
                     struct err *err);

// Ends the waiting chores without doing them: calls their `work` at once,
// without a reader and with `why` as the trouble. Chores in progress continue.
void background_dismiss(struct background *background, const struct err *why);

// Returns a descriptor that is readable while there is something to take.
int background_fd(const struct background *background);

// Calls `done` for every chore that has finished.
void background_take(struct background *background);

// Returns true if no chore is in progress, waiting or ready to be taken.
bool background_is_idle(const struct background *background);

#endif
