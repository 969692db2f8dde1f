// list_text: lists that are not written as JSON: one item a line, with or
// without bullets, numbers or boxes, or all items on one line with commas.
//
// Only looks at the text; items are read by their type (values/list.c). A text
// that may be a sentence as well as a list is no list.

#ifndef PROGRAM_PROMPT_LIST_TEXT_H
#define PROGRAM_PROMPT_LIST_TEXT_H

#include <stdbool.h>

#include "program/graph/type.h"
#include "program/prompt/span.h"

// --- lines ---

// The text behind "-", "*", "1.", "2)", "(3)" or "a)"; false when line is no
// such item. A box needs none of them before it, and is a part of the text.
bool list_text_bullet(struct span line, struct span *item);

// Whether all lines are such items.
bool list_text_are_bullets(struct span text);

// Whether some of the lines stand further in than others, as items of an item
// do. What stands before the first line is not looked at: it may be cut off.
bool list_text_is_nested(struct span text);

// Whether the lines are the numbers 1., 2. and so on, with no item behind them.
bool list_text_is_numbering(struct span text);

// Without a line that leads up to items: "Here are the names:".
struct span list_text_skip_lead(struct span text);

// Whether an item says that there are more: "...", "etc.".
bool list_text_goes_on(struct span item);

// An item without the box of a list of things to do.
struct span list_text_skip_box(struct span item);

// Whether there is a box that is not ticked: the label behind it is not meant.
bool list_text_has_empty_box(struct span text);

// Whether an item of that line holds the number of the next one: "1. apple, 2.
// pear".
bool list_text_holds_next(struct span line, struct span item);

// --- a row ---

// Whether text is a list on one line, "apple, pear", in which each item is an
// item without doubt. Items in quotes are (list_text_is_quoted). type is the
// list's.
bool list_text_is_row(const struct type *type, struct span text);
bool list_text_is_quoted(struct span text);

// Without the full stop that ends "red, blue."; "red, ..." keeps its dots.
struct span list_text_drop_stop(const struct type *type, struct span text);

// A line such as "red, etc." or "1,200" that is no row, but may be more than
// one item.
bool list_text_is_several(struct span text);

#endif
