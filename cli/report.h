// report: the end of a run, for people.
//
// Made from the document that --json prints, so it can say nothing else. Pure.

#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <jansson.h>

#include "cli/terminal.h"
#include "common/buf.h"

// Of `run` and `submit --wait`: baseline next to compiled, what changed, what
// it cost, where the file is.
void report_run(const struct terminal *terminal, const json_t *document,
                struct buf *out);

// How to run the file that the document names; the words are what the command
// line needs besides, each after a blank: the server, and the inputs as
// given_put_needed has them.
void report_try(const json_t *document, const char *words, struct buf *out);

// Of `eval`.
void report_eval(const struct terminal *terminal, const json_t *document,
                 struct buf *out);

// What a comparison on the test share says, in words: a borrowed, static
// text. test is the document's member, not null.
const char *report_verdict(const json_t *test);

#endif
