// demo_space: adds demo sets to the space, made from what the study knows.
//
//   cover    shows every label, then each again, with rows that vary, that the
//            student gets wrong, or that are picked at random
//   turned   a set in reverse order: many models weigh the last demo most
//   pool     all rows that can be demos, for prompts that show those nearest to
//            their question; only if the job allows it
//   halved   the first half of a set: many models do better with few demos, and
//            a search that only ever adds to the leader would never notice
//
// Call only from the job's own thread.

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
    uint64_t draw;    // a different number gives another set of the same kind
};
bool demo_space_cover(struct space *space, struct study *study, size_t part,
                      const struct demo_wish *wish, struct err *err);

// Adds a pool; `nearest` is the number of its demos that a prompt shows.
bool demo_space_pool(struct space *space, struct study *study, size_t part,
                     size_t nearest, struct err *err);

// Adds the set in reverse order, unless it shows at most one demo.
bool demo_space_reverse(struct space *space, struct study *study, size_t part,
                        int set, struct err *err);

// Adds the first half of a set. *half is the number of the new set, or of the
// set itself if it shows at most one demo or is a pool.
bool demo_space_halve(struct space *space, struct study *study, size_t part,
                      int set, int *half, struct err *err);

#endif
