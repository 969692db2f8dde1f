// completion: what a shell needs to complete our command lines.
//
// It is made from the tables of commands and options: their names, and for
// values and operands what `struct offer` says about them. The name of an
// operand in the command's usage says what it is.
//
// Job ids come from the store that is named or that is in the current folder,
// never from a coordinator, because pressing a key must not wait for a network.

#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stdbool.h>

#include "cli/command.h"
#include "cli/option_about.h"
#include "common/buf.h"

// --- the scripts; one file each ---

void completion_bash(struct buf *out);
void completion_zsh(struct buf *out);
void completion_fish(struct buf *out);

// --- what is offered, for the scripts ---

// Words and file endings, separated by blanks, from one offer or several.
struct offered {
    struct buf words, files;
    bool jobs;
};

// Fill out with what may be typed as an operand of the command, or as the
// option's value. Release it.
void offered_operands(const struct command_entry *entry, struct offered *out);
void offered_value(const struct option_about *about, struct offered *out);
void offered_release(struct offered *offered);

// Return the words and the endings as text, "" for none. Borrowed.
const char *offered_words(const struct offered *offered);
const char *offered_files(const struct offered *offered);

// Finds the command's first option from *id on, and describes it. Returns false
// if there is none. For a loop over all of them:
//
//   for (int id = 0; completion_option(entry, &id, &about); id++)
bool completion_option(const struct command_entry *entry, int *id,
                       struct option_about *out);

// Returns true if the option's value must follow as a separate word.
bool completion_has_value(const struct option_about *about);

// Appends the names of all commands, separated by blanks.
void completion_put_names(struct buf *out);

#endif
