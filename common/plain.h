// plain: text from outside, made fit for a terminal, a log or a page.
//
// What a model, a server, a worker, a coordinator or a file says is not
// trusted: an ESC in it could clear the screen, rename the window or paint a
// success that never was, and U+202E makes the rest of the line read
// backwards. So all that is printed passes through here, in one of two forms:
//
//   for people   controls become visible: ESC is \x1b, U+202E is \u202e,
//                a byte that is no UTF-8 is \xNN
//   as JSON      the same characters become \u001b, \u202e, ..., which every
//                reader of JSON turns back: nothing is lost
//
// Controls are C0 (except line ends and tabs in a text of several lines),
// DEL, C1, and the characters that only change how others are shown: the bidi
// marks, embeddings, overrides and isolates, line and paragraph separators,
// the byte order mark, and the tags of plane 14.

#ifndef COMMON_PLAIN_H
#define COMMON_PLAIN_H

#include <stddef.h>

#include "common/buf.h"

// Appends text as one line: line ends and tabs become spaces.
void plain_put_line(struct buf *out, const char *text, size_t len);

// Appends text of many lines: '\n' and '\t' stay, "\r\n" becomes "\n".
void plain_put_text(struct buf *out, const char *text, size_t len);

// Appends a JSON document, escaped further. Outside its strings a document is
// ASCII, so the characters in question can only stand where \u is allowed.
void plain_put_json(struct buf *out, const char *document, size_t len);

// Makes one line of line[0..len) in place, where nothing may grow: a control
// becomes '?', line ends and tabs become spaces. Returns the new length.
size_t plain_squash(char *line, size_t len);

#endif
