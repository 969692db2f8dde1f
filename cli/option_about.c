#include "cli/option_about.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/wrap.h"

void option_env(enum option_id id, char *name, size_t size)
{
    if (option_rows[id].env != NULL) {
        (void)snprintf(name, size, "%s", option_rows[id].env);
        return;
    }
    (void)snprintf(name, size, "PROMPTCC_%s", option_rows[id].name);
    for (char *at = name; *at != '\0'; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
}

// A shorter value, such as 1, may be in a message by chance.
enum { VALUE_MIN_BYTES = 4 };

// Returns true if the text has "--name" as a word.
static bool is_named(const char *name, const char *text)
{
    size_t len = strlen(name);

    for (const char *at = strstr(text, "--"); at != NULL;
         at = strstr(at + 1, "--"))
        if (strncmp(at + 2, name, len) == 0 && at[2 + len] != '-' &&
            !isalnum((unsigned char)at[2 + len]))
            return true;
    return false;
}

bool option_is_from_variable(const struct options *options, enum option_id id,
                             const char *text)
{
    const struct option_value *value = &options->values[id];

    if (value->n == 0 || (options->given & OPTION_BIT(id)) != 0)
        return false;
    for (size_t i = 0; i < value->n; i++)
        if (strlen(value->texts[i]) >= VALUE_MIN_BYTES &&
            strstr(text, value->texts[i]) != NULL)
            return true;
    return is_named(option_rows[id].name, text);
}

// --- help ---

enum { HELP_INDENT = 28, HELP_BYTES = 1024 };

void option_describe(const struct command_entry *command, enum option_id id,
                     struct option_about *out)
{
    const struct option_row *row = &option_rows[id];

    *out = (struct option_about){
        .name = row->name,
        .argument = row->argument,
        .help = row->help,
        .more = row->more,
        .default_text =
            row->default_text != NULL ? row->default_text : row->fallback,
        .repeats = row->kind == KIND_LIST || row->kind == KIND_LINES,
        .offer = row->offer};
    for (const struct option_help *own = command == NULL ? NULL
                                                         : command->option_help;
         own != NULL && own->help != NULL; own++)
        if (own->id == id) {
            out->help = own->help;
            out->more = NULL; // that describes it elsewhere
            out->default_text = own->default_text;
        }
}

static void put_help(size_t width, const struct option_about *about,
                     struct buf *out)
{
    struct buf text = BUF_INIT(HELP_BYTES);
    char name[64];

    (void)snprintf(name, sizeof name, "--%s%s%s", about->name,
                   about->argument == NULL || about->argument[0] == '[' ? ""
                                                                        : " ",
                   about->argument == NULL ? "" : about->argument);
    buf_puts(&text, about->help);
    if (about->default_text != NULL)
        buf_printf(&text, " (default: %s)", about->default_text);
    if (text.data != NULL)
        wrap_pair(width, HELP_INDENT, name, text.data, out);
    buf_release(&text);
}

void options_help(size_t width, const struct command_entry *command,
                  struct buf *out)
{
    struct option_about about;

    for (int id = 0; id < OPTION_COUNT; id++)
        if (((command->options | OPTIONS_ALL) & OPTION_BIT(id)) != 0) {
            option_describe(command, (enum option_id)id, &about);
            put_help(width, &about, out);
        }
    wrap_pair(width, HELP_INDENT, "--help, -h", "show this help", out);
    wrap_pair(width, HELP_INDENT, "--version, -V", "print the version", out);
}
