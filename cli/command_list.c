#include "cli/command_list.h"

#include <string.h>

#include "common/text.h"

#define COMMAND(group, name) extern const struct command_entry cmd_##name;
#include "cli/commands.def"
#undef COMMAND

const struct command_listed command_list[] = {
#define COMMAND(group, name) {group, &cmd_##name},
#include "cli/commands.def"
#undef COMMAND
};

enum { COMMANDS = sizeof command_list / sizeof *command_list };

const size_t command_list_n = COMMANDS;

const char *command_group_title(enum command_group group)
{
    static const char *const TITLES[COMMAND_GROUPS] = {
        [GROUP_LOCAL] = "A job, here and now",
        [GROUP_COMPILED] = "A compiled program",
        [GROUP_CLUSTER] = "A cluster",
        [GROUP_HISTORY] = "The history",
        [GROUP_SHELL] = "Your shell",
    };

    return TITLES[group];
}

const struct command_entry *command_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(command_list[i].entry->name, name) == 0)
            return command_list[i].entry;
    return NULL;
}

const char *command_nearest(const char *name)
{
    const char *names[COMMANDS];

    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = command_list[i].entry->name;
    return text_nearest(name, names, COMMANDS);
}
