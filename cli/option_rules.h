// option_rules: which options contradict each other, and which have no effect
// without another one.
//
// An option that would be dropped without a word is refused instead. What
// counts is the command line: an option of the environment gives way to one
// there that it contradicts, so that PROMPTCC_COORDINATOR in a profile does not
// stand in the way of `jobs --store FILE`.
//
// To add one: a row in option_rules.c.

#ifndef CLI_OPTION_RULES_H
#define CLI_OPTION_RULES_H

#include <stdbool.h>

#include "cli/options.h"

// ERR_INPUT names two options of the command line that contradict each other.
bool option_rules_apart(const struct options *options, struct err *err);

// Whether the command line gives an option that contradicts id.
bool option_rules_silence(const struct options *options, enum option_id id);

// ERR_INPUT names an option of the command line that has no effect without
// another, which neither it nor the environment gives.
bool option_rules_needs(const struct options *options, struct err *err);

#endif
