// wrap: text in lines of a given width, broken between words.
//
// Columns are counted as terminal.h counts them. A word that is wider than a
// whole line stands on one of its own, uncut: an id or a path that is broken
// cannot be copied. Of text without blanks, as Chinese and Japanese are
// written, every character of two columns is a word, together with the marks
// behind it that begin no line.

#ifndef CLI_WRAP_H
#define CLI_WRAP_H

#include <stddef.h>

#include "common/buf.h"

enum { WRAP_LEAST = 20 }; // narrower than this nothing is wrapped

// Appends text, whose first word comes at `column`; lines end before `width`
// and all but the first begin behind `indent` blanks. A first word for which
// there is no room at a column behind the indent comes on the next line. No
// line end follows the last one.
void wrap_text(size_t width, size_t column, size_t indent, const char *text,
               struct buf *out);

// "  name   text": a line of a list whose texts begin at `indent`, its end
// included. A name that is too long has its text on the next line; so has every
// one where lines are so short that the texts would be a narrow column.
void wrap_pair(size_t width, size_t indent, const char *name, const char *text,
               struct buf *out);

// Wraps a text of many lines: each that is too wide goes on where its own text
// begins, behind its blanks or its label. Commands to copy ("  promptcc ...")
// and what is quoted of a file, with the caret below ("  11 | data: ..."), stay
// whole.
void wrap_lines(size_t width, const char *text, struct buf *out);

// The bytes of text that go on a line of `width` columns, and in *next where
// the line after it begins; *next is the end of text for the last line.
size_t wrap_line(const char *text, size_t width, const char **next);

// The columns of the widest word.
size_t wrap_widest_word(const char *text);

#endif
