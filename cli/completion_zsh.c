#include "cli/completion.h"

#include <string.h>

#include "cli/command_list.h"
#include "common/shell_word.h"

static const char zsh_head[] =
    "#compdef promptcc\n"
    "# zsh completion for promptcc: put it into a folder of\n"
    "# $fpath as _promptcc\n"
    "_promptcc_jobs() {\n"
    "    local store=${PROMPTCC_STORE:-promptcc.db} i\n"
    "    i=${words[(I)--store]}\n"
    "    (( i )) && store=${words[i+1]}\n"
    "    [[ -f $store ]] || return 1\n"
    "    local -a jobs=(${(f)\"$(PROMPTCC_COORDINATOR= promptcc jobs --store "
    "$store \\\n"
    "        --csv 2>/dev/null | sed '1d; s/,.*//')\"})\n"
    "    compadd -a jobs\n"
    "}\n"
    "local -a commands=(\n";

// Appends the action that follows the option's name, in single quotes.
static void put_zsh_action(const struct offered *offered, struct buf *out)
{
    const char *files = offered_files(offered);

    buf_puts(out, "{ ");
    if (offered->words.len > 0)
        buf_printf(out, "compadd%s -- %s; ", // a value follows a key at once
                   strchr(offered_words(offered), '=') != NULL ? " -S \"\""
                                                               : "",
                   offered_words(offered));
    if (offered->jobs)
        buf_puts(out, "_promptcc_jobs; ");
    if (strcmp(files, OFFER_ANY) == 0) {
        buf_puts(out, "_files; ");
    } else if (strcmp(files, OFFER_FOLDER) == 0) {
        buf_puts(out, "_files -/; ");
    } else if (files[0] != '\0') {
        buf_puts(out, "_files -g \"*.(");
        for (const char *c = files; *c != '\0'; c++)
            buf_putc(out, *c == ' ' ? '|' : *c);
        buf_puts(out, ")\"; ");
    }
    buf_puts(out, "}");
}

static void put_zsh_option(const struct option_about *about, struct buf *out)
{
    struct offered offered;

    buf_printf(out, "        '%s--%s%s[", about->repeats ? "*" : "",
               about->name, completion_has_value(about) ? "=" : "");
    for (const char *c = about->help; *c != '\0'; c++) {
        if (strchr("[]\\:", *c) != NULL)
            buf_putc(out, '\\');
        if (*c == '\'')
            buf_puts(out, "'\\''");
        else
            buf_putc(out, *c);
    }
    buf_puts(out, "]");
    if (completion_has_value(about)) {
        offered_value(about, &offered);
        buf_printf(out, ":%s:", about->name);
        put_zsh_action(&offered, out);
        offered_release(&offered);
    }
    buf_puts(out, "' \\\n");
}

static void put_zsh_command(const struct command_entry *entry, struct buf *out)
{
    struct option_about about;
    struct offered offered;

    buf_printf(out, "    %s) _arguments \\\n", entry->name);
    for (int id = 0; completion_option(entry, &id, &about); id++)
        put_zsh_option(&about, out);
    offered_operands(entry, &offered);
    buf_puts(out, "        '--help[show the help of the command]' '*:");
    buf_printf(out, "%s:", entry->name);
    put_zsh_action(&offered, out);
    buf_puts(out, "' ;;\n");
    offered_release(&offered);
}

void completion_zsh(struct buf *out)
{
    buf_puts(out, zsh_head);
    for (size_t i = 0; i < command_list_n; i++) {
        const struct command_entry *entry = command_list[i].entry;

        buf_printf(out, "    %s:", entry->name);
        shell_word_put(entry->summary, out);
        buf_putc(out, '\n');
    }
    buf_puts(out, ")\n"
                  "if (( CURRENT == 2 )); then\n"
                  "    _describe command commands\n"
                  "    return\n"
                  "fi\n"
                  "local command=$words[2]\n"
                  "shift words; (( CURRENT-- ))\n"
                  "case $command in\n");
    for (size_t i = 0; i < command_list_n; i++)
        put_zsh_command(command_list[i].entry, out);
    buf_puts(out, "    help) _describe command commands ;;\nesac\n");
}
