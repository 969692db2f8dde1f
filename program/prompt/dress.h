// dress: what models put around a short value: **B**, "B", $B$, "- B", "B.".

#ifndef PROGRAM_PROMPT_DRESS_H
#define PROGRAM_PROMPT_DRESS_H

#include <stdbool.h>

#include "program/prompt/span.h"

// Takes off one layer; false when there is none. What is left may have white
// space at its ends.
bool dress_take_off(struct span *text);

// Takes off quotes or emphasis around all of a text; not those of "a" and "b".
bool dress_unquote(struct span *text);

// Takes off a pair around all of text that changes nothing of a number: not
// round brackets, in which accountants write a loss.
bool dress_unwrap(struct span *text);

// A dash in front of a number may be its sign, or the bullet of a list.
bool dress_is_minus(struct span text);

#endif
