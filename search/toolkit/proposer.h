// proposer: new instructions, written by the teacher from what it is shown.
//
// It is shown, as far as the options say: a summary of the data, the steps of
// the program (shown.h), a description of it and of the step, demos that the
// teacher itself bootstrapped, the present instruction, and a tip that sends
// each proposal another way. Descriptions are made once and shared. Then all
// proposals of all steps are under way together.
//
// The list of a step starts with its instruction as written, and has besides
// every proposal that came back usable and new. A question that gets no usable
// answer is left out and counted in a note; the search goes on without it.
//
// For the job's own thread.

#ifndef SEARCH_TOOLKIT_PROPOSER_H
#define SEARCH_TOOLKIT_PROPOSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/demo_set.h"

struct proposer_options {
    int64_t n; // proposals a step, not counting the instruction as written
    double temperature;
    bool program_aware;
    bool data_aware;
    bool tip_aware;
    bool fewshot_aware;
    int64_t view_data_batch_size;
};

struct instruction_list {
    char **texts; // owned; [0] is as written
    size_t n;
};

struct proposals {
    struct instruction_list *lists; // owned: one a predictor
    size_t n_lists;
};

void proposals_release(struct proposals *proposals); // zeroed is fine

// Only for predictors that the plan runs; the others keep a list of one.
// Proposal k starts from set k of sets (none is shown for set 0).
bool proposals_make(struct session *session,
                    const struct proposer_options *options,
                    const struct demo_set *sets, size_t n_sets,
                    struct proposals *out, struct err *err);

#endif
