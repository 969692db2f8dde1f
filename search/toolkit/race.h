// race: runs candidates on the same rows, block by block, and drops those that
// fall behind at the end of each block.
//
// Blocks follow the board's order from its first row, and each takes the rows
// run so far to twice their number (8, 16, 32, 64, then all), so all racers
// have met the same rows. All remaining racers run a block together, and
// nothing is decided before the whole block is done. Then those drop out that a
// paired one-sided test finds worse than the first, and those in the lower half
// by the outlook. So most calls go to candidates that may win, and decisions do
// not depend on which answer was quick.
//
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_RACE_H
#define SEARCH_TOOLKIT_RACE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "search/toolkit/board.h"
#include "search/toolkit/outlook.h"

struct racer {
    struct entry *entry; // borrowed
    size_t no;           // its index on the board
    double value;        // what it is ranked by
};

// Ranks all entries that were scored, best first, into racers (room for the
// board's n). The rank is the expected score plus `hope` times its deviation.
// Returns the number of entries.
size_t race_rank(const struct outlook *outlook, double hope,
                 struct racer *racers);

// Runs racers on the first `end` rows and learns from the result.
bool race_block(struct outlook *outlook, const struct racer *racers, size_t n,
                size_t end, double soft, const char *reason, struct err *err);

struct race_rules {
    size_t racers; // that start, including the holder
    double worse;  // one-sided p below which a racer is worse than the first
    double soft;   // see outlook_learn
};

// Races the most promising entries and the holder. *winner is one of them.
bool race_run(struct outlook *outlook, const struct race_rules *rules,
              struct entry *holder, struct entry **winner, struct err *err);

#endif
