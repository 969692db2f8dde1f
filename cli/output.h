// output: results on standard output, messages on standard error.
//
// With --json a failure is a document too: {"error": {"code", "text",
// "place"}}. Every function that tells a failure returns the exit status.

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

// What each says, for the manual pages and the reference; meaning is NULL at
// the end.
struct exit_told {
    enum exit_status status;
    const char *meaning;
};
extern const struct exit_told exit_told[];

int exit_of(enum err_code code);

// Writes a line of JSON (of a document, or of its text), or a text for people.
// Both are made fit for a terminal (common/plain.h); JSON says the same as
// before. EXIT_FAILED, told on standard error, when standard output does not
// take it (a full disk, a closed pipe).
int output_json(const json_t *document);
int output_json_text(const struct buf *document);
int output_text(const struct buf *text);

// A text for people, whose lines are wrapped where it goes to a terminal.
int output_lines(const struct terminal *terminal, const struct buf *text);

// A message for people on standard error: "promptcc: ...\n" and the like. Its
// lines are wrapped where it goes to a terminal.
void output_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Prints err.
int output_error(const struct options *options, const struct err *err);

// Prints all findings to standard error; where they hold errors (or memory
// ran out), or err is set, gives the status to end with, else EXIT_DONE.
int output_findings(const struct options *options, const struct diags *diags,
                    const struct err *err);

#endif
