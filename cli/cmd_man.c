// man: prints manual pages, made from the same tables as --help.

#include <ctype.h>
#include <string.h>

#include "cli/command_list.h"
#include "cli/option_about.h"
#include "cli/options.h"
#include "cli/output.h"

enum { PAGE_BYTES = 1 << 20 };

// Appends a text so that roff sees no requests and no hyphens in it.
static void put_roff(const char *text, struct buf *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            buf_puts(out, "\\e");
        else if (*text == '-')
            buf_puts(out, "\\-");
        else if (*text == '\'')
            buf_puts(out, "\\(aq");
        else
            buf_putc(out, *text);
    }
}

static void put_head(const char *name, struct buf *out)
{
    buf_puts(out, ".TH PROMPTCC");
    if (name[0] != '\0')
        buf_puts(out, "\\-");
    for (; *name != '\0'; name++)
        buf_putc(out, (char)toupper((unsigned char)*name));
    buf_puts(out, " 1 \"\" \"promptcc " PROMPTCC_VERSION "\"\n");
}

static void put_option(const struct option_about *about, struct buf *out)
{
    buf_puts(out, ".TP\n\\fB\\-\\-");
    put_roff(about->name, out);
    buf_puts(out, "\\fR");
    if (about->argument != NULL) {
        buf_puts(out, about->argument[0] == '[' ? "\\fI" : " \\fI");
        put_roff(about->argument, out);
        buf_puts(out, "\\fR");
    }
    buf_putc(out, '\n');
    put_roff(about->help, out);
    if (about->default_text != NULL) {
        buf_puts(out, " (default: ");
        put_roff(about->default_text, out);
        buf_putc(out, ')');
    }
    if (about->more != NULL) {
        buf_puts(out, ". ");
        put_roff(about->more, out);
    }
    buf_putc(out, '\n');
}

static void put_options(const struct command_entry *entry, struct buf *out)
{
    struct option_about about;

    buf_puts(out, ".SH OPTIONS\n");
    for (int id = 0; id < OPTION_COUNT; id++) {
        if (((entry->options | OPTIONS_ALL) & OPTION_BIT(id)) == 0)
            continue;
        option_describe(entry, (enum option_id)id, &about);
        put_option(&about, out);
    }
    buf_puts(out, ".SH ENVIRONMENT\nEach option can also be set there: "
                  "PROMPTCC_STORE stands for \\-\\-store. The command line "
                  "wins.\n");
}

static void put_exit_status(struct buf *out)
{
    buf_puts(out, ".SH \"EXIT STATUS\"\n");
    for (size_t i = 0; exit_meanings[i].meaning != NULL; i++) {
        buf_printf(out, ".TP\n%d\n", (int)exit_meanings[i].status);
        put_roff(exit_meanings[i].meaning, out);
        buf_putc(out, '\n');
    }
}

static void put_command_page(const struct command_entry *entry, struct buf *out)
{
    put_head(entry->name, out);
    buf_printf(out, ".SH NAME\npromptcc\\-%s \\- ", entry->name);
    put_roff(entry->summary, out);
    buf_printf(out, "\n.SH SYNOPSIS\n\\fBpromptcc %s\\fR ", entry->name);
    put_roff(entry->usage, out);
    buf_puts(out, " [\\fIOPTION\\fR]...\n");
    if (entry->about != NULL) {
        buf_puts(out, ".SH DESCRIPTION\n");
        put_roff(entry->about, out);
        buf_putc(out, '\n');
    }
    put_options(entry, out);
    if (entry->document != NULL) {
        buf_puts(out, ".SH JSON\nWith \\-\\-json it prints ");
        put_roff(entry->document, out);
        buf_puts(out, ".\n");
    }
    put_exit_status(out);
    buf_puts(out, ".SH EXAMPLE\n.nf\n");
    put_roff(entry->example, out);
    buf_puts(out, "\n.fi\n.SH \"SEE ALSO\"\npromptcc(1)\n");
}

static void put_overview(struct buf *out)
{
    put_head("", out);
    buf_puts(out, ".SH NAME\npromptcc \\- compiles prompt programs for the "
                  "models that you run\n.SH SYNOPSIS\n\\fBpromptcc\\fR "
                  "\\fICOMMAND\\fR [\\fIOPTION\\fR]...\n.SH DESCRIPTION\n"
                  "promptcc searches for the instructions and examples that "
                  "make a pipeline of language\\-model steps score best, on "
                  "every model server that you have. A job file says what is "
                  "searched; the result is one JSON file.\n");
    for (int group = 0; group < COMMAND_GROUPS; group++) {
        buf_puts(out, ".SH \"");
        put_roff(command_group_title((enum command_group)group), out);
        buf_puts(out, "\"\n");
        for (size_t i = 0; i < command_list_n; i++) {
            if ((int)command_list[i].group != group)
                continue;
            buf_printf(out, ".TP\n\\fBpromptcc\\-%s\\fR(1)\n",
                       command_list[i].entry->name);
            put_roff(command_list[i].entry->summary, out);
            buf_putc(out, '\n');
        }
    }
    put_exit_status(out);
}

static int run(const struct options *options)
{
    struct buf out = BUF_INIT(PAGE_BYTES);
    struct err err = ERR_CLEAR;
    const char *name = options->n_operands == 0 ? NULL : options->operands[0];
    const struct command_entry *entry =
        name == NULL ? NULL : command_find(name);
    int status;

    if (name != NULL && entry == NULL) {
        err_set(&err, ERR_INPUT,
                "there is no command `%.40s`; `promptcc help` lists them",
                name);
        return output_error(options, &err);
    }
    if (entry == NULL)
        put_overview(&out);
    else
        put_command_page(entry, &out);
    status = output_text(&out);
    buf_release(&out);
    return status;
}

const struct command_entry cmd_man = {
    .name = "man",
    .usage = "[COMMAND]",
    .summary = "prints a manual page, as `man promptcc-run` shows it",
    .example = "promptcc man run > promptcc-run.1",
    .max_operands = 1,
    .run = run,
};
