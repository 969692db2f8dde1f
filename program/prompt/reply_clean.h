// reply_clean: strips from a model's reply what is not part of the answer.
//
// Models that think aloud do so first, between tags. Some chat templates write
// the opening tag themselves, so that only the closing one arrives. And a
// server that does not know a model's end-of-turn token passes it on as text.
// Thinking must never be read as the answer, because it rehearses the very form
// that is looked for. A thought that never ends leaves no answer at all.

#ifndef PROGRAM_PROMPT_REPLY_CLEAN_H
#define PROGRAM_PROMPT_REPLY_CLEAN_H

#include <stdbool.h>

#include "program/prompt/span.h"

// Returns the answer in a whole reply. Adds LENIENT_FENCE to *lenient for
// thinking, and LENIENT_END for tokens.
struct span reply_clean(struct span text, unsigned *lenient);

// Like reply_clean, but for a single value, where a lone closing tag is text.
struct span reply_clean_value(struct span text, unsigned *lenient);

// Returns true if a tag, such as <think>, begins a thought, which reply_clean
// removes.
bool reply_clean_is_thought_tag(const char *tag);

// Returns true if a tag, such as <answer>, frames an answer; reply_clean
// removes the frame.
bool reply_clean_frames(const char *tag);

#endif
