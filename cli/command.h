// command: what a subcommand is.
//
// One file each, cmd_<verb>.c, ending in its row, and one line in commands.def,
// which both main.c and CMake read. Options are named by the mask, so the row
// is also what `--help` prints, and what the manual pages and
// docs/command-line.md are made of. Its texts are plain sentences; they name
// what is typed in `backticks`, and a page as docs/PAGE.md.

#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/options.h"

struct option_told;

struct command_entry {
    const char *name;
    const char *usage;              // behind the name: "JOB", "ID", ...
    const char *summary;            // one line
    const char *about;              // what else it does; NULL: that is all
    const char *example;            // whole command lines
    option_set options;             // OPTION_BIT(...) of those that it takes
    const struct option_told *told; // where they differ from most; or NULL
    const char *document;           // what --json prints; NULL: nothing
    int min_operands, max_operands; // max -1: any number
    // Gives the exit status of the program.
    int (*run)(const struct options *options);
};

#endif
