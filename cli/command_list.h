// command_list: all subcommands, in the groups in which help shows them.
//
// Made of commands.def. Help, man pages and shell completion read it, so that a
// new command is in all of them by its row.

#ifndef CLI_COMMAND_LIST_H
#define CLI_COMMAND_LIST_H

#include <stddef.h>

#include "cli/command.h"

enum command_group {
    GROUP_LOCAL,
    GROUP_COMPILED,
    GROUP_CLUSTER,
    GROUP_HISTORY,
    GROUP_SHELL,
    COMMAND_GROUPS
};

struct command_listed {
    enum command_group group;
    const struct command_entry *entry;
};

extern const struct command_listed command_list[];
extern const size_t command_list_n;

// "A cluster".
const char *command_group_title(enum command_group group);

// NULL: there is none of that name.
const struct command_entry *command_find(const char *name);

// The nearest to a misspelt name; NULL when none is near.
const char *command_nearest(const char *name);

#endif
