// plain: makes text from outside safe for a terminal, a log or a page.
//
// Text from a model, a server, a worker, a coordinator or a file is not
// trusted: an ESC in it could clear the screen, rename the window or fake a
// success message, and U+202E makes the rest of the line read backwards. So
// everything that is printed passes through here, in one of two forms:
//
//   for people   controls become visible: ESC is \x1b, U+202E is \u202e,
//                a byte that is not UTF-8 is \xNN
//   as JSON      the same characters become \u001b, \u202e, ..., which every
//                JSON reader turns back, so nothing is lost
//
// Controls are C0 (except line ends and tabs in a multi-line text), DEL, C1,
// and the characters that only change how others are displayed: bidi marks,
// embeddings, overrides and isolates, line and paragraph separators, the byte
// order mark, and the tags of plane 14.

#ifndef COMMON_PLAIN_H
#define COMMON_PLAIN_H

#include <stddef.h>

#include "common/buf.h"

// Appends text as one line: line ends and tabs become spaces.
void plain_put_line(struct buf *out, const char *text, size_t len);

// Appends text of many lines: '\n' and '\t' stay, "\r\n" becomes "\n".
void plain_put_text(struct buf *out, const char *text, size_t len);

// Appends a JSON document with these characters escaped too. Outside of its
// strings a document is ASCII, so they can occur only where \u is allowed.
void plain_put_json(struct buf *out, const char *document, size_t len);

// Turns line[0..len) into one line in place, for callers whose text must not
// grow: a control becomes '?', line ends and tabs become spaces. Returns the
// new length.
size_t plain_flatten(char *line, size_t len);

#endif
