// json_scan: where things stand in a JSON text, without building it.
//
// For readers that must know places (the caret under a value), cut one long
// text into its examples, or look at a beginning only. A scan is lenient: it
// matches brackets and strings, and leaves to the parser whether what stands
// between them is JSON.
//
// It also mends the two things that Python's json.dumps writes and JSON does
// not have room for: NaN and infinities, which become null, and numbers beyond
// 64 bits, which become texts. What was mended is listed, so that a reader can
// refuse it where it is read and let it pass where it is not.

#ifndef PROGRAM_SOURCE_JSON_SCAN_H
#define PROGRAM_SOURCE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

struct scan_span {
    size_t at; // offset in the text
    size_t len;
};

struct scan_member {
    struct scan_span key;   // quotes included
    struct scan_span value; // without white space around it
};

enum { SCAN_MAX_ODD = 256 };

// A value that JSON cannot hold, somewhere in a member of the outermost
// object.
struct scan_odd {
    struct scan_span key;   // of that member
    struct scan_span token; // NaN, 18446744073709551615, 1e999
};

struct scan_odds {
    struct scan_odd items[SCAN_MAX_ODD]; // the first one of each member
    size_t n;
};

// The first offset from `at` on that is no white space; len at the end.
size_t scan_space(const char *text, size_t len, size_t at);

// Finds the end of the value that begins at `at`. False when the text ends
// inside it, or nothing begins there.
bool scan_value(const char *text, size_t len, size_t at, size_t *end);

// Walks over the members of an object. *at is the offset behind its `{`, and
// moves on. False at the end, or where it is no longer an object.
bool scan_member(const char *text, size_t len, size_t *at,
                 struct scan_member *out);

// Whether a key (a span with its quotes) is name.
bool scan_key_is(const char *text, const struct scan_span *key,
                 const char *name);

// Finds the member of the object at `at` that name means: its key is name, or
// name is a path whose first part is the key and whose rest is found in the
// member's object ("fields.question").
bool scan_find(const char *text, size_t len, size_t at, const char *name,
               struct scan_member *out);

// Appends text to out with everything odd mended. text begins with the
// object's `{`. False when there are more odd members than fit.
bool scan_mend(const char *text, size_t len, struct buf *out,
               struct scan_odds *odds);

#endif
