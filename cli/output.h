// output: results on standard output, messages on standard error.
//
// With --json, a failure is a document too: {"error": {"code", "text",
// "place"}}. Every function that reports a failure returns the exit status.

#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>

#include "cli/options.h"
#include "cli/terminal.h"
#include "common/buf.h"
#include "common/err.h"
#include "program/source/diag.h"

enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2, // wrong usage, bad input, a store in use
    EXIT_PAUSED = 3,
    EXIT_BELOW = 100,
    EXIT_STOPPED = 130,
};

// What each status means, for the manual pages and the reference. In the last
// entry, `meaning` is NULL.
struct exit_meaning {
    enum exit_status status;
    const char *meaning;
};
extern const struct exit_meaning exit_meanings[];

int exit_of(enum err_code code);

// Writes a line of JSON (from a document, or from its text), or a text for
// people. Both are made safe for a terminal (common/plain.h), which does not
// change what the JSON says. If standard output cannot take it (a full disk, a
// closed pipe), reports that on standard error and returns EXIT_FAILED.
int output_json(const json_t *document);
int output_json_text(const struct buf *document);
int output_text(const struct buf *text);

// Writes a text for people, with lines wrapped if it goes to a terminal.
int output_lines(const struct terminal *terminal, const struct buf *text);

// Writes a message for people to standard error: "promptcc: ...\n" and the
// like. Its lines are wrapped if it goes to a terminal.
void output_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Prints err.
int output_error(const struct options *options, const struct err *err);

// Prints all findings to standard error. If they include errors, if memory ran
// out, or if err is set, returns the status to exit with, else EXIT_DONE.
int output_findings(const struct options *options, const struct diags *diags,
                    const struct err *err);

#endif
