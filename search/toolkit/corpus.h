// corpus: some rows of the dataset as texts with labels: which answers are
// classes, what demo sets cover, which words the rows have.
//
// A study has one of the rows to train on, from which prompts are made. The
// model of the scores has one of the rows that candidates are scored on, which
// tells what a sentence of a prompt is about. Rows are identified by their
// place in the corpus.
//
// Pure once made.

#ifndef SEARCH_TOOLKIT_CORPUS_H
#define SEARCH_TOOLKIT_CORPUS_H

#include <stdbool.h>

#include "common/err.h"
#include "search/session/session.h"
#include "search/toolkit/classes.h"
#include "search/toolkit/lexicon.h"

struct corpus {
    struct row_span rows;          // borrowed; they outlive the corpus
    size_t n_parts;                // predictors
    struct classes *classes;       // owned, like all below: by predictor; none
                                   // for those that the plan does not run
    const struct classes **covers; // by predictor: the classes that its demo
                                   // sets cover: its own or, if it has none,
                                   // those of the last step that has some
    struct lexicon *lexicon;
};

// Reads the rows of the session's dataset. Releasing is the caller's, on
// failure too.
bool corpus_init(struct corpus *corpus, struct session *session,
                 struct row_span rows, struct err *err);
void corpus_release(struct corpus *corpus); // accepts a zeroed corpus

#endif
