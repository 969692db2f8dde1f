// option_rules: which options contradict each other, and which have no effect
// without another one.
//
// An option that would be silently ignored is refused instead. Only the command
// line is checked: an option from the environment gives way to one on the
// command line that contradicts it, so that PROMPTCC_COORDINATOR in a profile
// does not prevent `jobs --store FILE`.
//
// To add a rule, add a row in option_rules.c.

#ifndef CLI_OPTION_RULES_H
#define CLI_OPTION_RULES_H

#include <stdbool.h>

#include "cli/options.h"

// Fails with ERR_INPUT if two options of the command line contradict each
// other, and names them.
bool option_rules_check_conflicts(const struct options *options,
                                  struct err *err);

// Returns true if the command line has an option or a further operand that
// contradicts `id`.
bool option_rules_conflict_with(const struct options *options,
                                enum option_id id);

// Fails with ERR_INPUT, and names the option, if an option of the command line
// has no effect without another one that neither the command line nor the
// environment gives.
bool option_rules_check_needs(const struct options *options, struct err *err);

#endif
