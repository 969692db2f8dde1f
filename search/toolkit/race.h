// race: candidates on the same rows, block by block, and those that fall behind
// dropped at the end of each.
//
// Blocks are the rows in the board's order from the first on, each twice as
// long as the one before, so that everybody has met the same rows. All that
// stay run a block together; nothing is decided before all of it is there. Then
// those drop out that a paired one-sided test finds worse than the first, and
// the lower half by the outlook. So most calls go to those that may win, and
// what is decided does not depend on who was quick.
//
// For the job's own thread.

#ifndef SEARCH_TOOLKIT_RACE_H
#define SEARCH_TOOLKIT_RACE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/toolkit/board.h"
#include "search/toolkit/outlook.h"

struct racer {
    struct entry *entry; // borrowed
    size_t no;           // of it on the board
    double value;        // what it is ranked by
};

// Ranks all entries that were scored by what they are expected to score plus
// `hope` deviations of that, best first, into racers (room for the board's n).
// Returns how many.
size_t race_rank(const struct outlook *outlook, double hope,
                 struct racer *racers);

// Runs racers on the first `end` rows and learns from it.
bool race_block(struct outlook *outlook, const struct racer *racers, size_t n,
                size_t end, double soft, const char *reason, struct err *err);

struct race_rules {
    size_t racers; // that start, the holder among them
    double worse;  // one-sided p below which one is worse than the first
    double soft;   // see outlook_learn
};

// The most promising entries and the holder. *winner is one of them.
bool race_run(struct outlook *outlook, const struct race_rules *rules,
              struct entry *holder, struct entry **winner, struct err *err);

#endif
