#include "search/toolkit/sentences.h"

#include <string.h>

#include "common/text.h"
#include "common/words.h"

// Returns the number of bytes up to the end of the first sentence.
static size_t measure(const char *text, size_t line)
{
    for (size_t i = 0; i < line; i++) {
        size_t stop = words_sentence_end(text + i, line - i);

        if (stop > 0)
            return i + stop;
    }
    return line;
}

static bool find(const char *text, bool first, struct sentence *out)
{
    while (*text != '\0') {
        size_t line = strcspn(text, "\n");
        size_t len = measure(text, line);

        out->text = text_trim(text, len, &out->len);
        out->first = first;
        out->rest = text + len;
        if (out->len > 0)
            return true;
        if (*out->rest == '\n') {
            out->rest++;
            first = true;
        }
        text = out->rest;
    }
    return false;
}

bool sentence_first(const char *text, struct sentence *out)
{
    return find(text, true, out);
}

bool sentence_next(struct sentence *sentence)
{
    return find(sentence->rest, false, sentence);
}
