// reply: turns a model's text into typed outputs, strictly, then leniently.
//
// Strict means the form that the prompt asked for. Every departure that is
// accepted is recorded by its kind, because a prompt that needs leniency is a
// worse prompt. The rule is that of a careful person: accept what can mean only
// one thing, and nothing that is in doubt. For example, "B." is the label B,
// but "A or B" is no label. A bad reply is asked for again, while a wrong value
// would be scored without anyone noticing. A field that nothing reads may be
// missing; it becomes null.

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
    LENIENT_FENCE = 1 << 0,  // JSON in ``` fences or in other text; thinking
    LENIENT_MARKER = 1 << 1, // a marker or key with different spaces, case or
                             // emphasis, repeated, or after other text
    LENIENT_END = 1 << 2,    // no end marker, or text or tokens after it
    LENIENT_LABEL = 1 << 3,  // a label in different case, or dressed up
    LENIENT_NUMBER = 1 << 4, // "90%", "1,000", "about 3" (number.h)
    LENIENT_FORM = 1 << 5,   // JSON where markers were asked for, or vice versa
    LENIENT_BARE = 1 << 6,   // the only output, or reasoning, without a marker
    LENIENT_UNREAD = 1 << 7, // a bad field that nothing reads became null
    LENIENT_MENDED = 1 << 8, // JSON with mistakes (json_mend.h)
};

// What the model was asked for.
struct reply_asked {
    const struct step *step;
    enum adapter adapter;
    uint64_t reads; // bit f set when output f matters (struct plan)
};

// On success, *outputs is a new object with every output of the signature in
// order (null for LENIENT_UNREAD), and *lenient has the kinds of leniency that
// were used. On failure, returns false, and problem says in one sentence that
// can be shown to the model what is wrong: ERR_INPUT for a bad reply, ERR_NOMEM
// when out of memory.
bool reply_parse(const struct reply_asked *asked, struct span text,
                 json_t **outputs, unsigned *lenient, struct err *problem);

// Finds where the value of an output begins in the text of a reply; returns
// false if the reply does not have it. For a label such as **B**, the position
// may be that of the B or of what surrounds it.
bool reply_locate(const struct reply_asked *asked, struct span text,
                  size_t output, size_t *at);

// Returns true if nothing is left of the text once its thinking is removed.
bool reply_is_empty(struct span text);

// Returns true if the answer is complete before the text ends: its end marker,
// or its whole object, is there. Nothing is missing from such a reply if it was
// cut off after that. Small models that do not know when to stop write such
// replies.
bool reply_is_closed(const struct reply_asked *asked, struct span text);

#endif
