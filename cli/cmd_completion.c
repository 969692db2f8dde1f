// completion: what a shell needs to complete our command lines, made of the
// tables of commands and options. Values of options are words where there are
// few, else names of files.

#include <string.h>

#include "cli/command_list.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/shell_word.h"

enum { SCRIPT_BYTES = 1 << 20 };

static bool takes(const struct command_entry *entry, int id)
{
    return ((entry->options | OPTIONS_ALL) & OPTION_BIT(id)) != 0;
}

// Whether a word of its own has to follow.
static bool has_value(const struct option_about *about)
{
    return about->argument != NULL && about->argument[0] != '[';
}

static void put_names(struct buf *out)
{
    for (size_t i = 0; i < command_list_n; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : " ", command_list[i].entry->name);
}

static void put_words(const char *words, struct buf *out)
{
    for (; *words != '\0'; words++)
        buf_putc(out, *words == '|' ? ' ' : *words);
}

// --- bash ---

static void put_bash_options(const struct command_entry *entry, struct buf *out)
{
    struct option_about about;

    buf_printf(out, "    %s) options='--help --version", entry->name);
    for (int id = 0; id < OPTION_COUNT; id++) {
        option_tell(entry, (enum option_id)id, &about);
        if (takes(entry, id))
            buf_printf(out, " --%s", about.name);
    }
    buf_puts(out, "' ;;\n");
}

static void put_bash_values(struct buf *out)
{
    struct option_about about;

    for (int id = 0; id < OPTION_COUNT; id++) {
        option_tell(NULL, (enum option_id)id, &about);
        if (about.words == NULL)
            continue;
        buf_printf(out, "    --%s) COMPREPLY=($(compgen -W '", about.name);
        put_words(about.words, out);
        buf_puts(out, "' -- \"$word\")); return ;;\n");
    }
}

static void put_bash(struct buf *out)
{
    buf_puts(out, "# bash completion for promptcc: source it, or put it into\n"
                  "# ~/.local/share/bash-completion/completions/promptcc\n"
                  "_promptcc()\n{\n"
                  "    local word=${COMP_WORDS[COMP_CWORD]}\n"
                  "    local before=${COMP_WORDS[COMP_CWORD-1]} options=\n"
                  "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                  "        COMPREPLY=($(compgen -W '");
    put_names(out);
    buf_puts(out, " help --help --version' -- \"$word\"))\n"
                  "        return\n"
                  "    fi\n"
                  "    case $before in\n"
                  "    help) COMPREPLY=($(compgen -W '");
    put_names(out);
    buf_puts(out, "' -- \"$word\")); return ;;\n");
    put_bash_values(out);
    buf_puts(out, "    esac\n"
                  "    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < command_list_n; i++)
        put_bash_options(command_list[i].entry, out);
    buf_puts(out, "    esac\n"
                  "    case $word in\n"
                  "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) "
                  ";;\n"
                  "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
                  "    esac\n"
                  "}\n"
                  "complete -o filenames -F _promptcc promptcc\n");
}

// --- zsh ---

static void put_zsh_option(const struct option_about *about, struct buf *out)
{
    buf_printf(out, "        '--%s%s[", about->name,
               has_value(about) ? "=" : "");
    for (const char *c = about->help; *c != '\0'; c++) {
        if (strchr("[]\\:", *c) != NULL)
            buf_putc(out, '\\');
        if (*c == '\'')
            buf_puts(out, "'\\''");
        else
            buf_putc(out, *c);
    }
    buf_puts(out, "]");
    if (about->words != NULL) {
        buf_printf(out, ":%s:(", about->name);
        put_words(about->words, out);
        buf_putc(out, ')');
    } else if (has_value(about)) {
        buf_printf(out, ":%s:_files", about->name);
    }
    buf_puts(out, "' \\\n");
}

static void put_zsh_command(const struct command_entry *entry, struct buf *out)
{
    struct option_about about;

    buf_printf(out, "    %s) _arguments \\\n", entry->name);
    for (int id = 0; id < OPTION_COUNT; id++) {
        option_tell(entry, (enum option_id)id, &about);
        if (takes(entry, id))
            put_zsh_option(&about, out);
    }
    buf_puts(out, "        '--help[show the help of the command]' "
                  "'*:file:_files' ;;\n");
}

static void put_zsh(struct buf *out)
{
    buf_puts(out, "#compdef promptcc\n"
                  "# zsh completion for promptcc: put it into a folder of\n"
                  "# $fpath as _promptcc\n"
                  "local -a commands=(\n");
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
    buf_puts(out, "    *) _files ;;\nesac\n");
}

// --- fish ---

static void put_fish_option(const struct command_entry *entry,
                            const struct option_about *about, struct buf *out)
{
    buf_printf(out,
               "complete -c promptcc -n '__fish_seen_subcommand_from %s' "
               "-l %s%s -d ",
               entry->name, about->name, has_value(about) ? " -r" : "");
    shell_word_put(about->help, out);
    if (about->words != NULL) {
        buf_puts(out, " -f -a '");
        put_words(about->words, out);
        buf_putc(out, '\'');
    }
    buf_putc(out, '\n');
}

static void put_fish(struct buf *out)
{
    struct option_about about;

    buf_puts(out, "# fish completion for promptcc: put it into\n"
                  "# ~/.config/fish/completions/promptcc.fish\n");
    for (size_t i = 0; i < command_list_n; i++) {
        const struct command_entry *entry = command_list[i].entry;

        buf_printf(out,
                   "complete -c promptcc -n __fish_use_subcommand -f -a "
                   "%s -d ",
                   entry->name);
        shell_word_put(entry->summary, out);
        buf_putc(out, '\n');
        for (int id = 0; id < OPTION_COUNT; id++) {
            option_tell(entry, (enum option_id)id, &about);
            if (takes(entry, id))
                put_fish_option(entry, &about, out);
        }
    }
}

// --- the command ---

static const struct {
    const char *name;
    void (*put)(struct buf *out);
} shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};

static int run(const struct options *options)
{
    struct buf out = BUF_INIT(SCRIPT_BYTES);
    struct err err = ERR_CLEAR;
    int status;

    err_set(&err, ERR_INPUT,
            "there is no completion for `%.40s`: name bash, zsh or fish",
            options->operands[0]);
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shells[i].name, options->operands[0]) == 0)
            shells[i].put(&out);
    status = out.len == 0 ? output_error(options, &err) : output_text(&out);
    buf_release(&out);
    return status;
}

const struct command_entry cmd_completion = {
    .name = "completion",
    .usage = "bash|zsh|fish",
    .summary = "prints the completion of command lines for a shell",
    .example = "promptcc completion bash > "
               "~/.local/share/bash-completion/completions/promptcc",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
