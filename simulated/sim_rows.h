// sim_rows: reads examples that appear as text inside a prompt.
//
// It reads rows of names and values, written as JSON objects, as Python prints
// dictionaries, or as lines "Name: value". From them it learns which column is
// a label, and which words are typical of each label. It also reads what an
// earlier text said about labels ("Use `a` when it speaks of b, c."), which is
// how knowledge passes from observations to a summary to an instruction. It
// also reads corrections in feedback ("`intent` is `a`, but `b` is right."),
// after which the row has the right label.

#ifndef SIMULATED_SIM_ROWS_H
#define SIMULATED_SIM_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/buf.h"

#include "simulated/sim_text.h"

enum { SIM_CELLS_MAX = 1024, SIM_GUIDE_MAX = 64, SIM_GUIDE_WORDS = 12 };

struct sim_cell {
    struct sim_span name;
    struct sim_span value;
    size_t row;
};

struct sim_typical {
    struct sim_span word;
    uint64_t hash;
    double weight;
};

struct sim_guide {
    struct sim_span label;
    struct sim_typical words[SIM_GUIDE_WORDS]; // the most typical first
    size_t n_words;
};

struct sim_rows {
    struct sim_cell cells[SIM_CELLS_MAX];
    size_t n_cells;
    size_t n_rows;
    struct sim_span label_name; // of the label's column; len 0: none
    struct sim_span text_name;  // of the column with the longest values
    struct sim_guide guide[SIM_GUIDE_MAX];
    size_t n_guide;
};

// Reads `text`, which is borrowed: spans point into it. Returns false when out
// of memory.
bool sim_rows_read(struct sim_rows *rows, struct arena *arena,
                   const char *text);

// Appends "Use `label` when it speaks of a, b, c." for one entry, with at most
// n_words of its words.
void sim_rows_put_guide(struct buf *out, const struct sim_guide *guide,
                        size_t n_words);

#endif
