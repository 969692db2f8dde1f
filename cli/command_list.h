// command_list: all subcommands, in the groups in which the help shows them.
//
// The list is made from commands.def. Help, man pages and shell completion read
// it, so a new command's row is enough to appear in all of them.

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

// Returns the title of a group, such as "A cluster".
const char *command_group_title(enum command_group group);

// Returns NULL if no command has that name.
const struct command_entry *command_find(const char *name);

// Returns the command nearest to a misspelled name, or NULL if none is near.
const char *command_nearest(const char *name);

#endif
