// list_text: how a list is written that is no JSON: a line an item, with or
// without bullets, numbers or boxes, or one line with commas.
//
// Only looks at the text; what an item is, says its type (values/list.c). Where
// a text may be a sentence as well as a list, it is no list.

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

// Whether the lines are the numbers 1., 2. and so on, with no item behind them.
bool list_text_is_numbering(struct span text);

// Without a line that leads up to items: "Here are the names:".
struct span list_text_skip_lead(struct span text);

// An item that says that there are more: "...", "etc.".
bool list_text_goes_on(struct span item);

// An item without the box of a list of things to do.
struct span list_text_skip_box(struct span item);

// Whether there is a box that is not ticked: of all labels that stand there,
// this is not meant.
bool list_text_has_empty_box(struct span text);

// Whether an item of that line holds the number of the next one: "1. apple, 2.
// pear".
bool list_text_holds_next(struct span line, struct span item);

// --- a row ---

// "apple, pear" on one line, where each item is one without doubt. With quotes
// it is. type is the list's.
bool list_text_is_row(const struct type *type, struct span text);
bool list_text_is_quoted(struct span text);

// "red, blue." ends as a sentence does; "red, ..." does not end.
struct span list_text_drop_stop(const struct type *type, struct span text);

// A line such as "red, etc." that is no row, but more than one item.
bool list_text_is_several(struct span text);

#endif
