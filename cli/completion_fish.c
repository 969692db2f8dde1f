#include "cli/completion.h"

#include <string.h>

#include "cli/command_list.h"
#include "common/shell_word.h"

static const char fish_head[] =
    "# fish completion for promptcc: put it into\n"
    "# ~/.config/fish/completions/promptcc.fish\n"
    "function __promptcc_in\n"
    "    set -l words (commandline -opc)\n"
    "    test (count $words) -gt 1; and test $words[2] = $argv[1]\n"
    "end\n"
    "function __promptcc_jobs\n"
    "    set -l store promptcc.db\n"
    "    set -q PROMPTCC_STORE; and set store $PROMPTCC_STORE\n"
    "    set -l words (commandline -opc)\n"
    "    set -l i (contains -i -- --store $words); and set store $words[(math "
    "$i + 1)]\n"
    "    test -f \"$store\"; and env PROMPTCC_COORDINATOR= promptcc jobs "
    "--store "
    "$store \\\n"
    "        --csv 2>/dev/null | sed '1d; s/,.*//'\n"
    "end\n";

// Appends " -a '...'": words, and commands that print words.
static void put_fish_offer(const struct offered *offered, struct buf *out)
{
    const char *files = offered_files(offered);

    if (strcmp(files, OFFER_ANY) == 0) {
        buf_puts(out, " -F");
        return;
    }
    buf_puts(out, " -k -f -a '");
    buf_puts(out, offered_words(offered));
    if (offered->jobs)
        buf_puts(out, " (__promptcc_jobs)");
    if (strcmp(files, OFFER_FOLDER) == 0) {
        buf_puts(out, " (__fish_complete_directories)");
    } else {
        for (const char *at = files; *at != '\0';) {
            size_t len = strcspn(at, " ");

            buf_printf(out, " (__fish_complete_suffix .%.*s)", (int)len, at);
            at += len + (at[len] == ' ');
        }
    }
    buf_putc(out, '\'');
}

static void put_fish_option(const struct command_entry *entry,
                            const struct option_about *about, struct buf *out)
{
    struct offered offered;

    buf_printf(out, "complete -c promptcc -n '__promptcc_in %s' -l %s -d ",
               entry->name, about->name);
    shell_word_put(about->help, out);
    if (completion_has_value(about)) {
        offered_value(about, &offered);
        buf_puts(out, " -r");
        put_fish_offer(&offered, out);
        offered_release(&offered);
    }
    buf_putc(out, '\n');
}

static void put_fish_command(const struct command_entry *entry, struct buf *out)
{
    struct option_about about;
    struct offered offered;

    buf_printf(out,
               "complete -c promptcc -n __fish_use_subcommand -f -a %s -d ",
               entry->name);
    shell_word_put(entry->summary, out);
    offered_operands(entry, &offered);
    buf_printf(out, "\ncomplete -c promptcc -n '__promptcc_in %s'",
               entry->name);
    put_fish_offer(&offered, out);
    buf_putc(out, '\n');
    offered_release(&offered);
    for (int id = 0; completion_option(entry, &id, &about); id++)
        put_fish_option(entry, &about, out);
}

void completion_fish(struct buf *out)
{
    buf_puts(out, fish_head);
    for (size_t i = 0; i < command_list_n; i++)
        put_fish_command(command_list[i].entry, out);
    buf_puts(out, "complete -c promptcc -n '__promptcc_in help' -f -a '");
    completion_put_names(out);
    buf_puts(out, "'\n");
}
