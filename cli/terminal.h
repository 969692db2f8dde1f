// terminal: what standard error (or output) can show.

#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

struct terminal {
    bool live;  // lines can be drawn over
    bool color; // terminal_set_color says when
    bool utf8;
    int width; // columns, at least 40
};

// Of file descriptor fd. Asks anew each time: windows change their size.
struct terminal terminal_of(int fd);

// Whether there is color: "auto" (on a terminal, unless NO_COLOR is set, and
// what NULL stands for), "always" or "never". For the whole process, before
// its first output.
void terminal_set_color(const char *when);

// Columns that text takes: characters outside of escape sequences.
size_t terminal_columns(const char *text, size_t len);

// Appends text, cut to `columns` columns, with "..." (or its one character)
// where something is missing. Escape sequences take no columns and are kept.
void terminal_put_cut(const struct terminal *terminal, const char *text,
                      size_t columns, struct buf *out);

// Appends text as one line without what could steer a terminal: model text
// and paths are not trusted.
void terminal_put_plain(const char *text, size_t len, struct buf *out);

#endif
