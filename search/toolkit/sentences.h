// sentences: a text, sentence by sentence.
//
// A sentence ends at the end of its line, or where a full stop, an exclamation
// mark or a question mark is followed by white space (words_sentence_end).
// "e.g. this" is cut too early, which does no harm when sentences are compared
// and put together again.
//
// Pure.

#ifndef SEARCH_TOOLKIT_SENTENCES_H
#define SEARCH_TOOLKIT_SENTENCES_H

#include <stdbool.h>
#include <stddef.h>

struct sentence {
    const char *text; // within the text, trimmed; not 0-terminated
    size_t len;       // at least 1
    bool first;       // first of its line
    const char *rest; // the text after it; for sentence_next
};

// Finds the first sentence of a text, and the one after *sentence. Both return
// false at the end. text must outlive the sentence.
bool sentence_first(const char *text, struct sentence *out);
bool sentence_next(struct sentence *sentence);

#endif
