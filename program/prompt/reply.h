// reply: from a model's text to typed outputs, strictly, then leniently.
//
// Strict means the form that the prompt asked for. Every departure from it that
// is accepted is counted by its kind, because a prompt that needs leniency is a
// worse prompt. The rule is that of a careful person: take what can mean only
// one thing, and nothing that is in doubt. For example "B." is the label B, but
// "A or B" is none: a bad reply is asked for again, while a wrong value would
// be scored without anyone noticing. A field that nothing reads may be missing:
// it becomes null.

#ifndef PROGRAM_PROMPT_REPLY_H
#define PROGRAM_PROMPT_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "program/graph/adapter.h"
#include "program/graph/program.h"
#include "program/prompt/span.h"

enum reply_leniency {
    LENIENT_FENCE = 1 << 0,  // JSON in ``` fences or within text, thinking
    LENIENT_MARKER = 1 << 1, // a marker or key with other spaces, case or
                             // emphasis, twice, or behind other text
    LENIENT_END = 1 << 2,    // no end marker, or text or tokens behind it
    LENIENT_LABEL = 1 << 3,  // a label in another case, or dressed up
    LENIENT_NUMBER = 1 << 4, // "90%", "1,000", "about 3" (number.h)
    LENIENT_FORM = 1 << 5,   // JSON where markers were asked, or the reverse
    LENIENT_BARE = 1 << 6,   // the only output, or reasoning, without marker
    LENIENT_UNREAD = 1 << 7, // a bad field that nothing reads is null
    LENIENT_MENDED = 1 << 8, // JSON with mistakes (json_mend.h)
};
enum { LENIENCY_COUNT = 9 };

const char *reply_leniency_name(enum reply_leniency one);

// What a reply was asked for.
struct reply_asked {
    const struct step *step;
    enum adapter adapter;
    uint64_t reads; // bit f set when output f matters (struct plan)
};

// On true *outputs is a new object with every output of the signature in
// order (null where LENIENT_UNREAD), and *lenient the kinds that were used.
// On false problem says in one sentence, fit to be shown to the model, what is
// wrong; ERR_INPUT for a bad reply, ERR_NOMEM without memory.
bool reply_parse(const struct reply_asked *asked, struct span text,
                 json_t **outputs, unsigned *lenient, struct err *problem);

// Where the value of an output begins in such a text; false when the output is
// not in it. For a label such as **B** this may be the B or what stands around
// it.
bool reply_locate(const struct reply_asked *asked, struct span text,
                  size_t output, size_t *at);

// True when nothing is left of the text without its thinking.
bool reply_is_empty(struct span text);

// True when the answer is over before the text is: its end marker, or its
// whole object, is there. So nothing is missing of a reply that was cut behind
// it, as small models that do not know when to stop write them.
bool reply_is_closed(const struct reply_asked *asked, struct span text);

#endif
