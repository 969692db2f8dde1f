// demo_space: demo sets for the space, made from what the study knows.
//
//   cover    every label, then again; rows that vary, that go wrong, or that
//            chance picks
//   turned   a set in the reverse order: what comes last weighs most with many
//            models
//   pool     all rows that can be demos, for prompts that show those nearest to
//            their question; where the job allows it
//   halved   the first half of a set: many models do better with few demos, and
//            a search that only ever adds to what leads would never know
//
// For the job's own thread.

#ifndef SEARCH_TOOLKIT_DEMO_SPACE_H
#define SEARCH_TOOLKIT_DEMO_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "search/toolkit/space.h"
#include "search/toolkit/study.h"

enum demo_taste {
    TASTE_VARIED, // unlike each other
    TASTE_HARD,   // what the student got wrong
    TASTE_CHANCE,
};

struct demo_wish {
    enum demo_taste taste;
    size_t most;      // demos
    const char *kind; // for people; static
    uint64_t draw;    // another number is another set of the same kind
};
bool demo_space_cover(struct space *space, struct study *study, size_t part,
                      const struct demo_wish *wish, struct err *err);

// nearest: how many demos of the pool a prompt shows.
bool demo_space_pool(struct space *space, struct study *study, size_t part,
                     size_t nearest, struct err *err);

bool demo_space_turn(struct space *space, struct study *study, size_t part,
                     int set, struct err *err);

// *half: the number of the new set; that of the set itself where it shows one
// demo or none, or is a pool.
bool demo_space_halve(struct space *space, struct study *study, size_t part,
                      int set, int *half, struct err *err);

#endif
