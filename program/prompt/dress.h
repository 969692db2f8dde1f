// dress: what models put around a short value: **B**, "B", $B$, "- B", "B.".
//
// What is taken off says nothing: quotes, emphasis, a bullet, a full stop. What
// might say something stays: the minus of a number, a sign that denies. Nothing
// is copied; a span is made smaller. Pure.

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

// Whether text begins with a dash in front of a digit, spaces between them
// allowed. The dash may be the sign of a number or the bullet of a list: who
// asks has to know which.
bool dress_is_minus(struct span text);

#endif
