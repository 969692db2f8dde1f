// diag: collects everything that is wrong with a user's files.
//
// A reader adds every mistake that it finds and continues. Nothing is run while
// there is an error. People see
//
//     job.yaml:12:5: error: unknown key `promt` in a step, did you mean
//     `predict`?
//        12 |     promt: Classify ...
//           |     ^^^^^
//
// and programs get the same as JSON. Not thread-safe.

#ifndef PROGRAM_SOURCE_DIAG_H
#define PROGRAM_SOURCE_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"

enum { DIAG_MAX = 200 }; // any beyond this are counted, not kept
enum { DIAG_MAX_SOURCES = 16 };

// Lines and columns count from 1; 0 means that there is no such place. `file`
// is borrowed; a list of findings keeps copies.
struct place {
    const char *file; // as the user gave it
    int line;
    int column;
    int width; // of the mark, in characters
};

// Copies a place, with its file name in arena. Returns false when out of
// memory.
bool place_copy(struct arena *arena, const struct place *from,
                struct place *out);

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_INFO };

struct diag {
    enum diag_level level;
    const char *code; // stable and static: "unknown-key", "bad-row", ...
    struct place place;
    const char *text;   // one sentence
    const char *remedy; // what to do, or NULL
    const char *line;   // the source line, or NULL
};

// A text whose lines are shown with findings; both members are copies.
struct diag_source {
    const char *file;
    const char *text;
    size_t len;
};

struct diags {
    struct arena arena;
    struct diag_source sources[DIAG_MAX_SOURCES];
    size_t n_sources;
    struct diag items[DIAG_MAX];
    size_t n;       // kept
    size_t errors;  // counted beyond DIAG_MAX too
    size_t dropped; // number of findings beyond DIAG_MAX
    bool nomem;
};

// Allocates a list, which has about 20 KB.
struct diags *diags_new(struct err *err);
void diags_free(struct diags *diags); // accepts NULL

// Registers a text: from now on, findings in `file` show their line of it.
// Copies text. Beyond DIAG_MAX_SOURCES files the lines are not shown.
void diag_source(struct diags *diags, const char *file, const char *text,
                 size_t len);

// Adds a finding. `code` must be static; the place is copied; line 0 stands for
// the file as a whole. Running out of memory is recorded in nomem, and diags_ok
// reports it.
void diag_add(struct diags *diags, enum diag_level level, const char *code,
              const struct place *place, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

// Set the remedy or the source line of the finding that was added last. They do
// nothing if that finding was dropped.
void diag_remedy(struct diags *diags, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void diag_line(struct diags *diags, const char *line, size_t len);

// Removes the warnings with that code, to make way for one that says it better.
void diag_remove(struct diags *diags, const char *code);

// Returns true if there is no error. Otherwise fills err with ERR_INPUT and the
// first error by file and line as PATH:LINE:COLUMN: text (ERR_NOMEM if memory
// ran out on the way).
bool diags_ok(const struct diags *diags, struct err *err);

// Write the findings for people, ordered by file and line, and as a JSON array
// of {"level", "code", "text", "remedy", "place"} (a new reference).
void diags_print(const struct diags *diags, struct buf *out);
json_t *diags_json(const struct diags *diags);

#endif
