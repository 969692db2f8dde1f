// fake_support: the small classification job that the tests of optimizers
// share, and a scripted model that answers it better the better its prompt is.

#ifndef FAKE_SUPPORT_H
#define FAKE_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "fake_session.h"

// One step: text -> label (a or b) and confidence. The examples contain the
// label.
#define SUPPORT_ONE                                                            \
    "inputs: {text: {desc: A text}}\n"                                         \
    "steps:\n"                                                                 \
    "  classify:\n"                                                            \
    "    predict: Classify the text.\n"                                        \
    "    inputs: [text]\n"                                                     \
    "    outputs: {label: {enum: [a, b]}, confidence: {type: float}}\n"        \
    "outputs: {label: classify.label, confidence: classify.confidence}\n"

struct support {
    bool silent_fill;      // the teacher fills no demos
    bool silent_proposals; // and proposes nothing
    int proposal_faults;   // attempts until a proposal can be read
    double demo_gain;      // what any demo adds to the student's accuracy
    int gain_from;         // only on rows from this one on
    double good_gain;      // what an instruction with "GOOD" adds
    double base;           // accuracy of a prompt with neither
    double teacher;        // share of rows that the teacher gets right
    int good_every;        // every n-th proposal is GOOD; 0: none
    size_t student_asked;
    size_t max_demos; // the most that any prompt contained
    bool saw_itself;  // a prompt contained its own row as a demo
};

// Returns a script over it. The texts are "row N"; the label of row N is a if N
// is even.
struct fake_script support_script(struct support *support);

// Returns n examples as a JSON array; the caller frees it.
char *support_examples(size_t n);

// Opens a session with n examples, n_train of them for training (0: shared).
struct session *support_session(struct support *support, size_t n,
                                size_t n_train, enum fake_finish finish);

#endif
