// wrap: breaks text between words into lines of a given width.
//
// Columns are counted as in terminal.h. A word that is wider than a whole line
// gets a line of its own, uncut, because a broken id or path cannot be copied.
// In text without blanks, such as Chinese and Japanese, every character of two
// columns is a word, together with any marks after it that must not begin a
// line.

#ifndef CLI_WRAP_H
#define CLI_WRAP_H

#include <stddef.h>

#include "common/buf.h"

enum { WRAP_LEAST = 20 }; // below this width, nothing is wrapped

// Appends `text`, wrapped to `width` columns. The first line starts at
// `column`; all others are indented by `indent` blanks. If the first word does
// not fit after `column`, it moves to the next line, unless `column` is at or
// before the indent. The result does not end with a newline.
void wrap_text(size_t width, size_t column, size_t indent, const char *text,
               struct buf *out);

// Appends "  name   text", one entry of a list whose texts begin at column
// `indent`, with its newline. If the name is too long, the text moves to the
// next line. If lines are so short that the texts would form a narrow column,
// every text does.
void wrap_pair(size_t width, size_t indent, const char *name, const char *text,
               struct buf *out);

// Wraps a text of many lines. A line that is too wide continues where its own
// text begins, after its blanks or its label. Commands to copy
// ("  promptcc ...") and quotations from a file with the caret below
// ("  11 | data: ...") stay whole.
void wrap_lines(size_t width, const char *text, struct buf *out);

// Returns how many bytes of `text` fit on a line of `width` columns, and sets
// *next to where the next line begins: the end of the text for the last line.
size_t wrap_line(const char *text, size_t width, const char **next);

// Returns how many columns the widest word takes.
size_t wrap_widest_word(const char *text);

#endif
