// sentences: a text, sentence by sentence.
//
// A sentence ends at the end of its line, or where a full stop, an exclamation
// or a question mark is followed by white space (words_stop). "e.g. this" is
// cut too early, which does no harm where sentences are compared and put
// together again.
//
// Pure.

#ifndef SEARCH_TOOLKIT_SENTENCES_H
#define SEARCH_TOOLKIT_SENTENCES_H

#include <stdbool.h>
#include <stddef.h>

struct sentence {
    const char *text; // in the text, no white space around it, not ended by 0
    size_t len;       // at least 1
    bool first;       // of its line
    const char *rest; // what comes behind it
};

// The first sentence of text, and so on with its rest; false at the end.
bool sentence_next(const char *text, bool first, struct sentence *out);

#endif
