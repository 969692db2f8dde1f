// held: the calls that a worker has, in the order in which they came.
//
// A held call is either waiting (it came while all slots were taken, or the
// server was busy) or open at the model server. It owns the arena that its
// texts live in, so it can be asked again. One owner, one thread.

#ifndef WORKER_HELD_H
#define WORKER_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "wire/message.h"

struct held {
    struct held *next;
    struct arena arena;       // owned; all texts of call
    struct call_message call; // its id names it
    bool open;
    int busy_tries; // how often the server was too busy for it
};

struct held_list {
    struct held *first; // oldest first
    size_t n;
    size_t n_open;
};

// Takes arena, which is left empty. NULL without memory, arena as it was.
struct held *held_add(struct held_list *list, const struct call_message *call,
                      struct arena *arena);
struct held *held_find(const struct held_list *list, int64_t id);
struct held *held_first_waiting(const struct held_list *list);
void held_set_open(struct held_list *list, struct held *held, bool open);
void held_remove(struct held_list *list, struct held *held); // and frees
void held_release(struct held_list *list);

#endif
