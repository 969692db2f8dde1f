// report: the report at the end of a run, for people.
//
// It is made from the document that --json prints, so it can say nothing else.
// Pure.

#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <jansson.h>

#include "cli/terminal.h"
#include "common/buf.h"

// For `run` and `submit --wait`: the baseline next to the compiled program,
// what changed, what it cost, and where the file is.
void report_run(const struct terminal *terminal, const json_t *document,
                struct buf *out);

// Appends how to run the file that the document names. `words` is what the
// command line needs besides, each word after a blank: the server, and the
// inputs as given_put_needed appends them.
void report_try(const json_t *document, const char *words, struct buf *out);

// Appends `score`, which has its interval and its number of examples: "36.2 %
// (24 to 50, n = 47)"; "-" if it is no object.
void report_score(const struct terminal *terminal, const json_t *score,
                  struct buf *out);

// For `eval`.
void report_eval(const struct terminal *terminal, const json_t *document,
                 struct buf *out);

// Returns what a comparison on the test share says, in words; a static text.
// `test` is the document's member and must not be null.
const char *report_verdict(const json_t *test);

#endif
