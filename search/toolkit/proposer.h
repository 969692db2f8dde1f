// proposer: new instructions, written by the teacher.
//
// Depending on the options, the teacher sees a summary of the data, the steps
// of the program (shown.h), a description of the program and of the step, demos
// that the teacher itself bootstrapped, the present instruction, and a tip that
// sends each proposal in another direction. Descriptions are made once and
// shared. Then all proposals of all steps are under way at the same time.
//
// The list of a step starts with its instruction as written, followed by every
// proposal that came back usable and new. A question without a usable answer is
// left out and counted in a note; the search continues without it.
//
// Call only from the job's own thread.

#ifndef SEARCH_TOOLKIT_PROPOSER_H
#define SEARCH_TOOLKIT_PROPOSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/demo_set.h"

struct proposer_options {
    int64_t n; // proposals per step, not counting the instruction as written
    double temperature;
    bool program_aware;
    bool data_aware;
    bool tip_aware;
    bool fewshot_aware;
    int64_t view_data_batch_size;
};

struct instruction_list {
    char **texts; // owned; [0] is the instruction as written
    size_t n;
};

struct proposals {
    struct instruction_list *lists; // owned: one per predictor
    size_t n_lists;
};

void proposals_release(struct proposals *proposals); // accepts a zeroed struct

// Proposes only for predictors that the plan runs; the others keep a list of
// one. Proposal k shows demos of set k % n_sets, and of the sets after it if
// that has too few; for set 0 it shows none.
bool proposals_make(struct session *session,
                    const struct proposer_options *options,
                    const struct demo_set *sets, size_t n_sets,
                    struct proposals *out, struct err *err);

#endif
