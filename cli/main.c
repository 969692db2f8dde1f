// promptcc: the table of commands.

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/output.h"
#include "common/text.h"

extern const struct command_entry cmd_init, cmd_check, cmd_run, cmd_eval,
    cmd_predict, cmd_render, cmd_coordinator, cmd_worker, cmd_submit, cmd_jobs,
    cmd_show, cmd_workers, cmd_stop, cmd_resume, cmd_trials, cmd_best,
    cmd_export, cmd_query;

static const struct group {
    const char *title;
    const struct command_entry *commands[8];
} groups[] = {
    {"A job, here and now", {&cmd_init, &cmd_check, &cmd_run, &cmd_eval}},
    {"A compiled program", {&cmd_predict, &cmd_render}},
    {"A cluster",
     {&cmd_coordinator, &cmd_worker, &cmd_submit, &cmd_workers, &cmd_stop,
      &cmd_resume}},
    {"The history",
     {&cmd_jobs, &cmd_show, &cmd_trials, &cmd_best, &cmd_export, &cmd_query}},
};

enum {
    GROUPS = sizeof groups / sizeof *groups,
    MAX_COMMANDS = GROUPS * 8,
    HELP_BYTES = 1 << 16,
};

static size_t list_commands(const struct command_entry **out)
{
    size_t n = 0;

    for (size_t g = 0; g < GROUPS; g++)
        for (size_t c = 0; c < 8 && groups[g].commands[c] != NULL; c++)
            out[n++] = groups[g].commands[c];
    return n;
}

static const struct command_entry *find_command(const char *name)
{
    const struct command_entry *commands[MAX_COMMANDS];
    size_t n = list_commands(commands);

    for (size_t i = 0; i < n; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int refuse_unknown(const char *name)
{
    const struct command_entry *commands[MAX_COMMANDS];
    const char *names[MAX_COMMANDS];
    size_t n = list_commands(commands);
    const char *near;

    for (size_t i = 0; i < n; i++)
        names[i] = commands[i]->name;
    near = text_nearest(name, names, n);
    if (near != NULL)
        fprintf(stderr, "promptcc: unknown command `%s`, did you mean `%s`?\n",
                name, near);
    else
        fprintf(stderr,
                "promptcc: unknown command `%s`; `promptcc help` lists them\n",
                name);
    return EXIT_USAGE;
}

static int print(struct buf *text)
{
    int status = output_text(text);

    buf_release(text);
    return status;
}

static int print_overview(void)
{
    struct buf out = BUF_INIT(HELP_BYTES);

    buf_puts(&out, "promptcc " PROMPTCC_VERSION
                   ": compiles prompt programs for the models that you run\n\n"
                   "usage: promptcc COMMAND [OPTION]...\n");
    for (size_t g = 0; g < GROUPS; g++) {
        buf_printf(&out, "\n%s\n", groups[g].title);
        for (size_t c = 0; c < 8 && groups[g].commands[c] != NULL; c++)
            buf_printf(&out, "  %-12s %s\n", groups[g].commands[c]->name,
                       groups[g].commands[c]->summary);
    }
    buf_puts(&out, "\n`promptcc COMMAND --help` says more. To begin:\n"
                   "  promptcc init my-job --template customer_care\n"
                   "  promptcc run my-job --simulate\n");
    return print(&out);
}

static int print_command(const struct command_entry *command)
{
    struct buf out = BUF_INIT(HELP_BYTES);

    buf_printf(&out, "promptcc %s: %s\n\nusage: promptcc %s%s%s%s\n\n",
               command->name, command->summary, command->name,
               command->usage[0] == '\0' ? "" : " ", command->usage,
               command->options == 0 ? "" : " [OPTION]...");
    options_help(command->options, &out);
    buf_printf(&out,
               "\nEvery option also has an environment variable, such as "
               "PROMPTCC_STORE for\n--store; the command line wins.\n\n"
               "example: %s\n",
               command->example);
    return print(&out);
}

static int help(int argc, char **argv)
{
    const struct command_entry *command;

    if (argc == 0)
        return print_overview();
    command = find_command(argv[0]);
    return command == NULL ? refuse_unknown(argv[0]) : print_command(command);
}

static int run_command(const struct command_entry *command, int argc,
                       char **argv)
{
    struct options options;
    struct err err = ERR_CLEAR;
    int status;

    if (!options_read(&options, command, argc, argv, getenv, &err))
        status = output_error(&options, &err);
    else if (options.help)
        status = print_command(command);
    else
        status = command->run(&options);
    options_release(&options);
    return status;
}

int main(int argc, char **argv)
{
    const char *name = argc < 2 ? "help" : argv[1];
    const struct command_entry *command;

    (void)setlocale(LC_CTYPE, "");
    if (argc < 2) {
        (void)print_overview();
        return EXIT_USAGE;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 ||
        strcmp(name, "-h") == 0)
        return help(argc - 2, argv + 2);
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        printf("promptcc %s\n", PROMPTCC_VERSION);
        return EXIT_DONE;
    }
    command = find_command(name);
    return command == NULL ? refuse_unknown(name)
                           : run_command(command, argc - 2, argv + 2);
}
