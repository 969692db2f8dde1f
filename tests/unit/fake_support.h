// fake_support: the small classifying job that tests of optimizers share, and
// a scripted model that answers it better the better its prompt is.

#ifndef FAKE_SUPPORT_H
#define FAKE_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "fake_session.h"

// One step: text -> label (a or b) and confidence. Examples hold the label.
#define SUPPORT_ONE                                                            \
    "inputs: {text: {desc: A text}}\n"                                         \
    "steps:\n"                                                                 \
    "  classify:\n"                                                            \
    "    predict: Classify the text.\n"                                        \
    "    inputs: [text]\n"                                                     \
    "    outputs: {label: {enum: [a, b]}, confidence: {type: float}}\n"        \
    "outputs: {label: classify.label, confidence: classify.confidence}\n"

struct support {
    bool silent_fill;      // the teacher fills nothing
    bool silent_proposals; // nor proposes anything
    int proposal_faults;   // attempts that a proposal takes before it is read
    double demo_gain;      // what any demo adds to the student
    int gain_from;         // on rows from this one on
    double good_gain;      // what an instruction with "GOOD" adds
    double base;           // of a prompt without both
    double teacher;        // share of rows that the teacher gets right
    int good_every;        // every so many proposals are GOOD; 0: none
    size_t student_asked;
    size_t max_demos; // most that any prompt held
    bool saw_itself;  // a prompt held its own row as a demo
};

// A script over it; the texts are "row N", the label of N is a for even ones.
struct fake_script support_script(struct support *support);

// n examples as a JSON array; the caller frees.
char *support_examples(size_t n);

// A session with n examples of which n_train train (0: shared).
struct session *support_session(struct support *support, size_t n,
                                size_t n_train, enum fake_finish finish);

#endif
