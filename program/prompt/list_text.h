// list_text: recognizes lists that are not JSON: one item per line, with or
// without bullets, numbers or boxes, or all items on one line with commas.
//
// These functions only look at the text; items are read by their type
// (values/list.c). A text that may just as well be a sentence is not a list.

#ifndef PROGRAM_PROMPT_LIST_TEXT_H
#define PROGRAM_PROMPT_LIST_TEXT_H

#include <stdbool.h>

#include "program/graph/type.h"
#include "program/prompt/span.h"

// --- lines ---

// Finds the text after "-", "*", "1.", "2)", "(3)" or "a)"; returns false if
// the line is no such item. A checkbox counts as a bullet, but stays part of
// the text.
bool list_text_bullet(struct span line, struct span *item);

// Returns true if every line is such an item.
bool list_text_are_bullets(struct span text);

// Returns true if some lines are indented further than others, like subitems.
// The first line's own indent is ignored, because it may have been cut off.
bool list_text_is_nested(struct span text);

// Returns true if the lines are just the numbers 1., 2. and so on, with no text
// after them.
bool list_text_is_numbering(struct span text);

// Skips a first line that introduces the items: "Here are the names:".
struct span list_text_skip_lead(struct span text);

// Returns true if an item says that there are more: "...", "etc.".
bool list_text_is_ellipsis(struct span item);

// Removes the checkbox of a to-do list from an item.
struct span list_text_skip_box(struct span item);

// Returns true if there is an unticked checkbox: the label after it is not
// meant.
bool list_text_has_empty_box(struct span text);

// Returns true if an item of the line contains the number of the next item: "1.
// apple, 2. pear".
bool list_text_has_next_number(struct span line, struct span item);

// --- a row ---

// Returns true if text is a list on one line, such as "apple, pear", in which
// each item is clearly an item. Items in quotes are (list_text_is_quoted).
// `type` is the list's type.
bool list_text_is_row(const struct type *type, struct span text);
bool list_text_is_quoted(struct span text);

// Removes the full stop that ends "red, blue."; "red, ..." keeps its dots.
struct span list_text_drop_stop(const struct type *type, struct span text);

// Returns true for a line such as "red, etc." or "1,200", which is no row but
// may be more than one item.
bool list_text_is_several(struct span text);

#endif
