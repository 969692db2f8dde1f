// wording: instructions that we write ourselves, from the step and its labelled
// examples. They cost no call, and they work even if the teacher is too small
// to write anything useful.
//
//   strict       the instruction, with the form of the answer spelled out
//   terse        what goes in and what comes out, nothing else; it does not
//                descend from the instruction
//   defined      the instruction, and for each label the words that tell its
//                examples from the others, with one example
//   contrasted   the instruction, and for pairs of labels that were confused
//                what tells one from the other
//
// The last two have nothing to say, and are not made, if the step has no
// classes. All but terse are appended, so they can be combined. Beyond the
// English sentences around the examples' own words, nothing here depends on a
// language.

#ifndef SEARCH_TOOLKIT_WORDING_H
#define SEARCH_TOOLKIT_WORDING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "program/graph/program.h"
#include "program/job/dataset.h"
#include "search/toolkit/classes.h"
#include "search/toolkit/lexicon.h"

// The subject: a step and its examples, which classes and lexicon identify by
// place. Everything is borrowed.
struct wording {
    const struct step *step;
    const struct dataset *dataset;
    const size_t *rows;
    const struct classes *classes;
    const struct lexicon *lexicon;
};

// A value of one field that was given where another was expected.
struct confusion {
    size_t field; // index in the classes
    int expected, given;
    size_t n; // how often
};

// Append a request to keep to the form of the answer, and the task in one
// sentence.
void wording_strict(const struct wording *wording, struct buf *out);
void wording_terse(const struct wording *wording, struct buf *out);

// Return false if there is nothing to say. `most` limits the bytes appended;
// every label gets its share of them.
bool wording_defined(const struct wording *wording, size_t most,
                     struct buf *out);
bool wording_contrasted(const struct wording *wording,
                        const struct confusion *confusions, size_t n,
                        struct buf *out);

#endif
