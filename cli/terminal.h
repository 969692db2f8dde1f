// terminal: what standard error (or output) can show.

#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/buf.h"

struct terminal {
    bool live;  // lines can be drawn over
    bool color; // terminal_set_color says when
    bool utf8;
    int width; // columns, at least 40
};

// For file descriptor fd. Ask again each time: windows change their size.
struct terminal terminal_of(int fd);

// Whether there is color: "auto" (on a terminal, unless NO_COLOR is set, and
// what NULL stands for), "always" or "never". For the whole process, before
// its first output.
void terminal_set_color(const char *when);

// Columns that text takes: its characters outside of escape sequences, wide
// ones twice.
size_t terminal_columns(const char *text, size_t len);

// Appends text, cut to `columns` columns, with "..." (or its one character)
// where something is missing. Escape sequences take no columns and are kept.
void terminal_put_cut(const struct terminal *terminal, const char *text,
                      size_t columns, struct buf *out);

// What begins a style; "" where there are no colors.
enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_WARN };
enum { STYLE_COUNT = STYLE_WARN + 1 };
const char *terminal_style(const struct terminal *terminal, enum style style);

// Writes text of many lines to file. Everything that promptcc shows to people
// passes here: of all sequences that steer a terminal only our own styles get
// through, anything else is made visible (common/plain.h). False when the file
// does not take it.
bool terminal_write(FILE *file, const char *text, size_t len);

// Moves up over `lines` lines and clears from there.
void terminal_erase(FILE *file, int lines);

#endif
