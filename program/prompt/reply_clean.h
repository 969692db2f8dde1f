// reply_clean: the answer in what a model wrote, without what is no answer.
//
// Models that think aloud do so first, between tags; some chat templates write
// the opening tag themselves, so that only the closing one arrives. And a
// server that does not know a model's end-of-turn token passes it on as text.
// What was thought must never be read as the answer: it rehearses the very form
// that is looked for. A thought that does not end leaves no answer at all.

#ifndef PROGRAM_PROMPT_REPLY_CLEAN_H
#define PROGRAM_PROMPT_REPLY_CLEAN_H

#include <stdbool.h>

#include "program/prompt/span.h"

// The answer in a whole reply. *lenient gains LENIENT_FENCE for thinking,
// LENIENT_END for tokens.
struct span reply_clean(struct span text, unsigned *lenient);

// The same for one value, in which a closing tag alone is text.
struct span reply_clean_value(struct span text, unsigned *lenient);

// Whether a tag, such as <think>, begins a thought, which is taken out.
bool reply_clean_takes(const char *tag);

// Whether a tag, such as <answer>, frames an answer, which is taken out of it.
bool reply_clean_frames(const char *tag);

#endif
