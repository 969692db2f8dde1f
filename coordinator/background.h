// background: what takes too long for a turn of the loop.
//
// A submission is read and checked, a question is asked of the store, a large
// job is freed: each is a chore that a thread here does while the loop goes on.
//
//        background_give            a thread             background_take
//   loop ---------------> waiting ----------> at work ------------------> loop
//              |
//              '--> refused, in words, when too many wait or they are too large
//
// The loop and a chore share nothing while it is here: what a chore needs
// moves in with it and out again. To read the store each thread has a
// connection of its own, which sees what is durable; a chore that must see a
// certain put says so (`after`), and waits here instead of in the loop.
//
// give, dismiss, take and stop belong to one owner, the loop.

#ifndef COORDINATOR_BACKGROUND_H
#define COORDINATOR_BACKGROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "store/store.h"

struct background;

// The head of whatever is to be done; embedded in it.
struct chore {
    // On a thread. reader is open for reading alone; NULL when it could not be
    // opened, and then trouble says why.
    void (*work)(struct chore *chore, struct store *reader,
                 const struct err *trouble);
    // On the loop, once it is taken. Frees the chore.
    void (*done)(struct chore *chore);
    uint64_t after; // the put that is waited for before work; 0: none
    bool hasty;     // reads what is durable rather than wait for a full disk
    bool own;       // the loop's own: never refused, and first in line
    size_t bytes;   // that it holds, for the bound
    struct chore *next; // background's own
};

struct background_options {
    struct store *store; // borrowed: where to read, and whose puts to wait for
    int threads;
    size_t max_chores; // at work or waiting
    size_t max_bytes;  // of them all; a single one may be larger
    const char *busy;  // the sentence for who is refused; borrowed
};

// NULL on failure.
struct background *background_start(const struct background_options *options,
                                    struct err *err);
// Does what still waits, joins the threads, and hands every chore to `done`.
// NULL is fine.
void background_stop(struct background *background);

// Takes the chore, or fails with ERR_BUSY.
bool background_give(struct background *background, struct chore *chore,
                     struct err *err);

// Ends what waits without doing it: `work` is called at once, without a reader
// and with why as its trouble. What is at work goes on.
void background_dismiss(struct background *background, const struct err *why);

// Readable while there is something to take.
int background_fd(const struct background *background);

// Calls `done` for every chore that is done.
void background_take(struct background *background);

// Whether nothing is at work, waiting or to be taken.
bool background_idle(const struct background *background);

#endif
