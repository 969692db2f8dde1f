// promptcc: finds the command, or prints help.

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/answer_query.h"
#include "cli/command_list.h"
#include "cli/option_about.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/wrap.h"
#include "common/descriptors.h"
#include "common/large_arrays.h"

enum {
    HELP_BYTES = 1 << 16,
    NAME_COLUMNS = 15, // column where the summaries begin
    HELP_WIDEST = 100,
    MARGIN = 2, // left of command lines
    DEEPER = 4, // more for their continuation lines
};

static int refuse_unknown(const char *name)
{
    struct err err = ERR_CLEAR;
    const char *near = command_nearest(name);

    if (near != NULL)
        err_set(&err, ERR_INPUT, "unknown command `%s`, did you mean `%s`?",
                name, near);
    else
        err_set(&err, ERR_INPUT,
                "unknown command `%s`; `promptcc help` lists them", name);
    return output_error(NULL, &err);
}

// --- help ---

static int print(struct buf *text)
{
    int status = output_text(text);

    buf_release(text);
    return status;
}

static int print_version(void)
{
    struct buf out = BUF_INIT(HELP_BYTES);

    buf_puts(&out, "promptcc " PROMPTCC_VERSION "\n");
    return print(&out);
}

// Help uses the terminal's width, but not more than is easy to read.
static size_t help_width(void)
{
    size_t width = (size_t)terminal_of(STDOUT_FILENO).width - 1;

    return width < HELP_WIDEST ? width : HELP_WIDEST;
}

// Appends a command line over several lines, as a shell accepts it.
static void put_example(const char *example, struct buf *out)
{
    int indent = MARGIN;

    for (const char *next = example; *example != '\0'; example = next) {
        size_t len = wrap_line(example, help_width() - MARGIN - DEEPER, &next);

        buf_printf(out, "%*s", indent, "");
        buf_append(out, example, len);
        buf_puts(out, *next == '\0' ? "\n" : " \\\n");
        indent = MARGIN + DEEPER;
    }
}

static int print_overview(void)
{
    struct buf out = BUF_INIT(HELP_BYTES);

    wrap_text(help_width(), 0, 0,
              "promptcc " PROMPTCC_VERSION
              ": compiles prompt programs for the models that you run",
              &out);
    buf_puts(&out, "\n\nusage: promptcc COMMAND [OPTION]...\n");
    for (int group = 0; group < COMMAND_GROUPS; group++) {
        buf_printf(&out, "\n%s\n",
                   command_group_title((enum command_group)group));
        for (size_t i = 0; i < command_list_n; i++)
            if ((int)command_list[i].group == group)
                wrap_pair(help_width(), NAME_COLUMNS,
                          command_list[i].entry->name,
                          command_list[i].entry->summary, &out);
    }
    buf_puts(&out, "\n");
    wrap_text(help_width(), 0, 0,
              "`promptcc COMMAND --help` says more. To begin:", &out);
    buf_puts(&out, "\n");
    put_example("promptcc init my-job --template customer_care", &out);
    put_example("promptcc run my-job --simulate", &out);
    return print(&out);
}

static int print_command(const struct command_entry *command)
{
    struct buf out = BUF_INIT(HELP_BYTES);
    struct buf head = BUF_INIT(HELP_BYTES);

    buf_printf(&head, "promptcc %s: %s", command->name, command->summary);
    if (head.data != NULL)
        wrap_text(help_width(), 0, 0, head.data, &out);
    buf_puts(&out, "\n\n");
    buf_clear(&head);
    buf_printf(&head, "usage: promptcc %s%s%s [OPTION]...", command->name,
               command->usage[0] == '\0' ? "" : " ", command->usage);
    if (head.data != NULL)
        wrap_text(help_width(), 0, DEEPER, head.data, &out);
    buf_puts(&out, "\n\n");
    if (command->about != NULL) {
        wrap_text(help_width(), 0, 0, command->about, &out);
        buf_puts(&out, "\n\n");
    }
    options_help(help_width(), command, &out);
    buf_puts(&out, "\n");
    wrap_text(help_width(), 0, 0,
              "Each option can also be set in the environment: PROMPTCC_STORE "
              "stands for --store, PROMPTCC_MAX_CALLS for --max-calls. The "
              "command line wins.",
              &out);
    buf_puts(&out, "\n\nexample:\n");
    put_example(command->example, &out);
    buf_release(&head);
    return print(&out);
}

static bool is_one_of(const char *word, const char *a, const char *b,
                      const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

static int help(int argc, char **argv)
{
    const struct command_entry *command;

    if (argc == 0 || is_one_of(argv[0], "help", "--help", "-h"))
        return print_overview();
    if (is_one_of(argv[0], "version", "--version", "-V"))
        return print_version();
    command = command_find(argv[0]);
    return command == NULL ? refuse_unknown(argv[0]) : print_command(command);
}

// --- running a command ---

static int run_command(const struct command_entry *command, int argc,
                       char **argv)
{
    struct options options;
    struct err err = ERR_CLEAR;
    int status;

    if (!options_read(&options, command, argc, argv, getenv, &err)) {
        status = output_error(&options, &err);
    } else {
        terminal_set_color(option_text(&options, OPT_COLOR));
        if (options.asks == OPTIONS_ASK_HELP)
            status = print_command(command);
        else if (options.asks == OPTIONS_ASK_VERSION)
            status = print_version();
        else
            status = command->run(&options);
    }
    options_release(&options);
    return status;
}

// Runs one command, whose words begin at argv[0].
static int dispatch(int argc, char **argv)
{
    const struct command_entry *command;

    if (argc == 0) {
        (void)print_overview();
        return EXIT_USAGE;
    }
    if (is_one_of(argv[0], "help", "--help", "-h"))
        return help(argc - 1, argv + 1);
    if (is_one_of(argv[0], "version", "--version", "-V"))
        return print_version();
    if (strcmp(argv[0], "answer-query") == 0 && argc == 2)
        return answer_query(argv[1]);
    command = command_find(argv[0]);
    return command == NULL ? refuse_unknown(argv[0])
                           : run_command(command, argc - 1, argv + 1);
}

// In `promptcc --color never jobs`, an option before the command acts like
// PROMPTCC_COLOR, so that a wrapper need not know where a command's words
// begin.
int main(int argc, char **argv)
{
    int at = 1;

    descriptors_fill_standard();
    large_arrays_map();
    (void)setlocale(LC_CTYPE, "");
    (void)signal(SIGXFSZ, SIG_IGN); // a file over its size limit is handled
                                    // like a full disk
    (void)signal(SIGCHLD, SIG_DFL); // where whoever started us ignores it, the
                                    // system forgets how our children ended
    descriptors_raise();
    for (; at < argc && strncmp(argv[at], "--color", 7) == 0; at++) {
        const char *when = argv[at][7] == '=' ? argv[at] + 8 : argv[at + 1];

        if (when == NULL) {
            struct err err = ERR_CLEAR;

            err_set(&err, ERR_INPUT,
                    "--color needs a value: it takes auto, always or never");
            return output_error(NULL, &err);
        }
        if (setenv("PROMPTCC_COLOR", when, 1) != 0)
            break;
        at += argv[at][7] != '=';
    }
    return dispatch(argc - at, argv + at);
}
