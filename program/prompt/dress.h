// dress: removes what models put around a short value: **B**, "B", $B$, "B.".
//
// What is removed carries no meaning: quotes, emphasis, a bullet, a full stop.
// What may carry meaning stays: the minus sign of a number, a sign of denial.
// Nothing is copied; the span only shrinks. Pure.

#ifndef PROGRAM_PROMPT_DRESS_H
#define PROGRAM_PROMPT_DRESS_H

#include <stdbool.h>

#include "program/prompt/span.h"

// Removes one layer; returns false if there is none. The result may have white
// space at its ends.
bool dress_take_off(struct span *text);

// Removes quotes or emphasis around the whole text, but not those of "a" and
// "b".
bool dress_unquote(struct span *text);

// Removes a pair around the whole text that does not change the meaning of a
// number. Parentheses stay, because accountants write a loss in them.
bool dress_unwrap(struct span *text);

// Returns true if text begins with a dash before a digit, possibly with spaces
// between them. The dash may be the sign of a number or the bullet of a list:
// the caller has to know which.
bool dress_is_minus(struct span text);

#endif
