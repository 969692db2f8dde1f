// command: what a subcommand is.
//
// Each subcommand is one file, cmd_<verb>.c, which ends with its row, and one
// line in commands.def, which both main.c and CMake read. A mask in the row
// names its options, so `--help`, the manual pages and docs/command-line.md are
// all made from the row. Its texts are plain sentences. They put what is typed
// in `backticks`, and name a page as docs/PAGE.md.

#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/options.h"

struct option_help;

struct command_entry {
    const char *name;
    const char *usage;   // after the name: "JOB", "ID", ...
    const char *summary; // one line
    const char *about;   // what else it does; NULL: nothing more
    const char *example; // whole command lines
    option_set options;  // OPTION_BIT(...) of the options that it
                         // takes
    const struct option_help *option_help; // where their help differs; or NULL
    const char *document;                  // what --json prints; NULL: nothing
    int min_operands, max_operands;        // max -1: any number
    // Returns the exit status of the program.
    int (*run)(const struct options *options);
};

#endif
