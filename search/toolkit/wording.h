// wording: instructions that we write ourselves, from the step and its labelled
// examples. They cost no call, and they hold where the teacher is too small to
// write anything of use.
//
//   strict       the instruction, and the answer's form spelled out
//   terse        what goes in and what comes out, nothing else; it does not
//                descend from the instruction
//   defined      the instruction, and for each label the words that tell its
//                examples from the others, with one of them
//   contrasted   the instruction, and for pairs of labels that were confused
//                what tells one from the other
//
// The last two say nothing, and are not made, where the step has no classes.
// They are appended, so they can be put together. Nothing in here knows of any
// language beyond the English sentences around the examples' own words.

#ifndef SEARCH_TOOLKIT_WORDING_H
#define SEARCH_TOOLKIT_WORDING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "program/graph/program.h"
#include "program/job/dataset.h"
#include "search/toolkit/classes.h"
#include "search/toolkit/lexicon.h"

// What is written about: a step and its examples, which classes and lexicon
// know by place. All borrowed.
struct wording {
    const struct step *step;
    const struct dataset *dataset;
    const size_t *rows;
    const struct classes *classes;
    const struct lexicon *lexicon;
};

// A value that was given where another was expected, of one field.
struct confusion {
    size_t field; // of the classes
    int expected, given;
    size_t n; // how often
};

void wording_strict(const struct wording *wording, struct buf *out);
void wording_terse(const struct wording *wording, struct buf *out);

// False where there is nothing to say. most: bytes that may be appended; every
// label gets its share.
bool wording_defined(const struct wording *wording, size_t most,
                     struct buf *out);
bool wording_contrasted(const struct wording *wording,
                        const struct confusion *confusions, size_t n,
                        struct buf *out);

#endif
