// json_scan: finds where things are in a JSON text, without building a tree.
//
// It is for readers that must know places (the caret under a value), cut one
// long text into its examples, or look only at a beginning. A scan is lenient:
// it matches brackets and strings, and leaves it to the parser whether what is
// between them is JSON.
//
// It also mends the two things that Python's json.dumps writes and JSON cannot
// express: NaN and infinities become null, and numbers beyond 64 bits become
// texts. Mended values are listed, so that a reader can reject one where it is
// read and let it pass where it is not.

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
    struct scan_span key;   // including quotes
    struct scan_span value; // without surrounding white space
};

enum { SCAN_MAX_ODD = 256 };

// A value that JSON cannot hold, anywhere inside a member of the outermost
// object.
struct scan_odd {
    struct scan_span key;   // of that member
    struct scan_span token; // NaN, 18446744073709551615, 1e999
};

struct scan_odds {
    struct scan_odd items[SCAN_MAX_ODD]; // the first of each member
    size_t n;
};

// Returns the first offset from `at` on that is not white space; len at the
// end.
size_t scan_space(const char *text, size_t len, size_t at);

// Finds the end of the value that begins at `at`. Returns false if the text
// ends inside it, or if no value begins there.
bool scan_value(const char *text, size_t len, size_t at, size_t *end);

// Steps through the members of an object. *at is the offset after its `{`, and
// moves on. Returns false at the end, or where the text is no longer an object.
bool scan_member(const char *text, size_t len, size_t *at,
                 struct scan_member *out);

// Returns true if a key (a span with its quotes) equals name.
bool scan_key_is(const char *text, const struct scan_span *key,
                 const char *name);

// Finds the member that `name` means in the object at `at`: either its key is
// name, or name is a path whose first part is the key and whose rest is found
// in the member's object ("fields.question").
bool scan_find(const char *text, size_t len, size_t at, const char *name,
               struct scan_member *out);

// Appends text to `out` with all odd values mended. text begins with the
// object's `{`. Returns false if there are more odd members than fit.
bool scan_mend(const char *text, size_t len, struct buf *out,
               struct scan_odds *odds);

#endif
