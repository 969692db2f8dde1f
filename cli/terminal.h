// terminal: what standard error (or output) can show.

#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/buf.h"

struct terminal {
    bool live;  // lines can be redrawn
    bool color; // as terminal_set_color says
    bool utf8;
    int width; // columns, at least 40
};

// Describes file descriptor fd. Ask again each time, because windows change
// size.
struct terminal terminal_of(int fd);

// Sets whether there is color: "auto" (on a terminal, unless NO_COLOR is set;
// NULL means the same), "always" or "never". Applies to the whole process; call
// it before the first output.
void terminal_set_color(const char *when);

// Returns how many columns the text takes: escape sequences take none, wide
// characters take two.
size_t terminal_columns(const char *text, size_t len);

// Appends text, cut to `columns` columns, with "..." (or the single character)
// where something is missing. Escape sequences take no columns and are kept.
void terminal_put_cut(const struct terminal *terminal, const char *text,
                      size_t columns, struct buf *out);

// Returns the escape sequence that begins a style, or "" if there are no
// colors.
enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_WARN };
enum { STYLE_COUNT = STYLE_WARN + 1 };
const char *terminal_style(const struct terminal *terminal, enum style style);

// Writes text of many lines to `file`. Everything that promptcc shows to people
// passes through here: of all terminal control sequences, only those of our own
// styles get through, and anything else is made visible (common/plain.h).
// Returns false if the write fails.
bool terminal_write(FILE *file, const char *text, size_t len);

// Moves the cursor up by `lines` lines and clears everything from there.
void terminal_erase(FILE *file, int lines);

#endif
