// completion: prints what a shell needs to complete our command lines. It is
// made from the tables of commands and options: their names, and for values and
// operands what `struct offer` says about them. The name of an operand in the
// command's usage says what it is.
//
// Job ids come from the store that is named or that is in the current folder,
// never from a coordinator, because pressing a key must not wait for a network.

#include <string.h>

#include "cli/command_list.h"
#include "cli/job_keys.h"
#include "cli/option_about.h"
#include "cli/options.h"
#include "cli/output.h"
#include "common/shell_word.h"

enum { SCRIPT_BYTES = 1 << 20, OFFER_BYTES = 1 << 14 };

static bool takes(const struct command_entry *entry, int id)
{
    return ((entry->options | OPTIONS_ALL) & OPTION_BIT(id)) != 0;
}

// Returns true if the option's value must follow as a separate word.
static bool has_value(const struct option_about *about)
{
    return about->argument != NULL && about->argument[0] != '[';
}

static void put_names(struct buf *out)
{
    for (size_t i = 0; i < command_list_n; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : " ", command_list[i].entry->name);
}

// --- what is offered ---

// Words and file endings, separated by blanks, from one offer or several.
struct offered {
    struct buf words, files;
    bool jobs;
};

#define OFFERED_NONE                                                           \
    (struct offered)                                                           \
    {                                                                          \
        .words = BUF_INIT(OFFER_BYTES), .files = BUF_INIT(OFFER_BYTES)         \
    }

static void release_offered(struct offered *offered)
{
    buf_release(&offered->words);
    buf_release(&offered->files);
}

static const char *text_of(const struct buf *buf)
{
    return buf->data == NULL ? "" : buf->data;
}

static bool holds(const struct buf *buf, const char *text)
{
    return strstr(text_of(buf), text) != NULL;
}

// Appends the parts of a list that `|` separates.
static void add_list(const char *list, struct buf *out)
{
    while (list != NULL && *list != '\0') {
        size_t len = strcspn(list, "|");

        if (len > 0) {
            buf_puts(out, out->len > 0 ? " " : "");
            buf_append(out, list, len);
        }
        list += len + (list[len] == '|');
    }
}

static void add_offer(const struct offer *offer, struct offered *out)
{
    add_list(offer->words, &out->words);
    if (offer->keys)
        job_keys_put(&out->words);
    if (offer->files != NULL && !holds(&out->files, offer->files))
        add_list(offer->files, &out->files);
    out->jobs = out->jobs || offer->jobs;
}

// What is offered for an operand, by its name in a usage.
static const struct {
    const char *noun;
    struct offer offer;
} nouns[] = {
    {"JOB", {.files = "yaml|yml"}},
    {"COMPILED", {.files = "json"}},
    {"ID", {.files = "yaml|yml", .jobs = true}},
    {"A", {.files = "json", .jobs = true}},
    {"B", {.files = "json", .jobs = true}},
    {"DIR", {.files = OFFER_FOLDER}},
};

// Adds what the table has for a noun, the names of all commands, or a
// lower-case word as it is typed. Adds nothing for others, such as FIELD=VALUE
// and SQL.
static void add_noun(const char *noun, size_t len, struct offered *out)
{
    for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++)
        if (strlen(nouns[i].noun) == len &&
            memcmp(nouns[i].noun, noun, len) == 0)
            add_offer(&nouns[i].offer, out);
    if (len == strlen("COMMAND") && memcmp(noun, "COMMAND", len) == 0)
        put_names(&out->words);
    else if (noun[0] >= 'a' && noun[0] <= 'z')
        buf_printf(&out->words, "%s%.*s", out->words.len > 0 ? " " : "",
                   (int)len, noun);
}

static void offer_operands(const struct command_entry *entry,
                           struct offered *out)
{
    static const char between[] = " []|.";

    *out = OFFERED_NONE;
    for (const char *at = entry->usage + strspn(entry->usage, between);
         *at != '\0'; at += strspn(at, between)) {
        size_t len = strcspn(at, between);

        add_noun(at, len, out);
        at += len;
    }
}

static void offer_value(const struct option_about *about, struct offered *out)
{
    *out = OFFERED_NONE;
    add_offer(&about->offer, out);
}

// --- bash ---

static const char bash_head[] =
    "# bash completion for promptcc: source it, or put it into\n"
    "# ~/.local/share/bash-completion/completions/promptcc\n"
    "# Lines that begin as the word does. Names of jobs are a store's: nothing "
    "here\n"
    "# may expand them, as `compgen -W` would.\n"
    "_promptcc_add()\n{\n"
    "    local line\n"
    "    while IFS= read -r line; do\n"
    "        [[ $line != \"$word\"* ]] || COMPREPLY+=(\"$line\")\n"
    "    done\n"
    "}\n"
    "_promptcc_jobs()\n{\n"
    "    local i store=${PROMPTCC_STORE:-promptcc.db}\n"
    "    for ((i = 2; i + 1 < COMP_CWORD; i++)); do\n"
    "        [ \"${COMP_WORDS[i]}\" != --store ] || "
    "store=${COMP_WORDS[i+1]}\n"
    "    done\n"
    "    [ ! -f \"$store\" ] || PROMPTCC_COORDINATOR= \"${COMP_WORDS[0]}\" "
    "jobs "
    "\\\n"
    "        --store \"$store\" --csv 2>/dev/null | sed '1d; s/,.*//'\n"
    "}\n"
    "# WORDS ENDINGS JOBS\n"
    "_promptcc_offer()\n{\n"
    "    local ending\n"
    "    [ -z \"$1\" ] || _promptcc_add < <(compgen -W \"$1\" -- \"$word\")\n"
    "    for ending in $2; do\n"
    "        case $ending in\n"
    "        any) _promptcc_add < <(compgen -f -- \"$word\"); return ;;\n"
    "        /) ;;\n"
    "        *) _promptcc_add < <(compgen -f -X \"!*.$ending\" -- \"$word\") "
    ";;\n"
    "        esac\n"
    "    done\n"
    "    [ -z \"$2\" ] || _promptcc_add < <(compgen -d -- \"$word\")\n"
    "    [ -z \"$3\" ] || _promptcc_add < <(_promptcc_jobs)\n"
    "    # A value follows at once.\n"
    "    [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] ||\n"
    "        compopt -o nospace 2>/dev/null\n"
    "}\n"
    "_promptcc()\n{\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1))\n"
    "    local before options= values= operands=\n"
    "    COMPREPLY=()\n"
    "    # --color=a is three words: --color, = and a.\n"
    "    [ \"$word\" != = ] || word=\n"
    "    [ \"${COMP_WORDS[at]}\" != = ] || at=$((at - 1))\n"
    "    before=${COMP_WORDS[at]}\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n";

static void put_bash_offer(const struct offered *offered, struct buf *out)
{
    buf_printf(out, "_promptcc_offer '%s' '%s' %s", text_of(&offered->words),
               text_of(&offered->files), offered->jobs ? "jobs" : "''");
}

static void put_bash_options(const struct command_entry *entry, struct buf *out)
{
    struct option_about about;
    struct offered offered;

    buf_printf(out, "    %s) options='--help --version", entry->name);
    for (int id = 0; id < OPTION_COUNT; id++) {
        option_describe(entry, (enum option_id)id, &about);
        if (takes(entry, id))
            buf_printf(out, " --%s", about.name);
    }
    buf_puts(out, "' values='");
    for (int id = 0; id < OPTION_COUNT; id++) {
        option_describe(entry, (enum option_id)id, &about);
        if (takes(entry, id) && has_value(&about))
            buf_printf(out, " --%s", about.name);
    }
    offer_operands(entry, &offered);
    buf_puts(out, " '\n        operands=\"");
    put_bash_offer(&offered, out);
    buf_puts(out, "\" ;;\n");
    release_offered(&offered);
}

static void put_bash_values(struct buf *out)
{
    struct option_about about;

    for (int id = 0; id < OPTION_COUNT; id++) {
        struct offered offered;

        option_describe(NULL, (enum option_id)id, &about);
        offer_value(&about, &offered);
        if (offered.words.len + offered.files.len > 0 || offered.jobs) {
            buf_printf(out, "        --%s) ", about.name);
            put_bash_offer(&offered, out);
            buf_puts(out, " ;;\n");
        }
        release_offered(&offered);
    }
}

static void put_bash(struct buf *out)
{
    buf_puts(out, bash_head);
    buf_puts(out, "        _promptcc_offer '");
    put_names(out);
    buf_puts(out, " help --help --version' '' ''\n"
                  "        return\n"
                  "    fi\n"
                  "    case ${COMP_WORDS[1]} in\n"
                  "    help) operands=\"_promptcc_offer '");
    put_names(out);
    buf_puts(out, "' '' ''\" ;;\n");
    for (size_t i = 0; i < command_list_n; i++)
        put_bash_options(command_list[i].entry, out);
    buf_puts(out, "    esac\n"
                  "    case $values in\n"
                  "    *\" $before \"*)\n"
                  "        case $before in\n");
    put_bash_values(out);
    buf_puts(out, "        esac\n"
                  "        return ;;\n"
                  "    esac\n"
                  "    case $word in\n"
                  "    -*) _promptcc_offer \"$options\" '' '' ;;\n"
                  "    *) eval \"$operands\" ;;\n"
                  "    esac\n"
                  "}\n"
                  "complete -o filenames -F _promptcc promptcc\n");
}

// --- zsh ---

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
    const char *files = text_of(&offered->files);

    buf_puts(out, "{ ");
    if (offered->words.len > 0)
        buf_printf(out, "compadd%s -- %s; ", // a value follows a key at once
                   holds(&offered->words, "=") ? " -S \"\"" : "",
                   text_of(&offered->words));
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
               about->name, has_value(about) ? "=" : "");
    for (const char *c = about->help; *c != '\0'; c++) {
        if (strchr("[]\\:", *c) != NULL)
            buf_putc(out, '\\');
        if (*c == '\'')
            buf_puts(out, "'\\''");
        else
            buf_putc(out, *c);
    }
    buf_puts(out, "]");
    if (has_value(about)) {
        offer_value(about, &offered);
        buf_printf(out, ":%s:", about->name);
        put_zsh_action(&offered, out);
        release_offered(&offered);
    }
    buf_puts(out, "' \\\n");
}

static void put_zsh_command(const struct command_entry *entry, struct buf *out)
{
    struct option_about about;
    struct offered offered;

    buf_printf(out, "    %s) _arguments \\\n", entry->name);
    for (int id = 0; id < OPTION_COUNT; id++) {
        option_describe(entry, (enum option_id)id, &about);
        if (takes(entry, id))
            put_zsh_option(&about, out);
    }
    offer_operands(entry, &offered);
    buf_puts(out, "        '--help[show the help of the command]' '*:");
    buf_printf(out, "%s:", entry->name);
    put_zsh_action(&offered, out);
    buf_puts(out, "' ;;\n");
    release_offered(&offered);
}

static void put_zsh(struct buf *out)
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

// --- fish ---

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
    const char *files = text_of(&offered->files);

    if (strcmp(files, OFFER_ANY) == 0) {
        buf_puts(out, " -F");
        return;
    }
    buf_puts(out, " -k -f -a '");
    buf_puts(out, text_of(&offered->words));
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
    if (has_value(about)) {
        offer_value(about, &offered);
        buf_puts(out, " -r");
        put_fish_offer(&offered, out);
        release_offered(&offered);
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
    offer_operands(entry, &offered);
    buf_printf(out, "\ncomplete -c promptcc -n '__promptcc_in %s'",
               entry->name);
    put_fish_offer(&offered, out);
    buf_putc(out, '\n');
    release_offered(&offered);
    for (int id = 0; id < OPTION_COUNT; id++) {
        option_describe(entry, (enum option_id)id, &about);
        if (takes(entry, id))
            put_fish_option(entry, &about, out);
    }
}

static void put_fish(struct buf *out)
{
    buf_puts(out, fish_head);
    for (size_t i = 0; i < command_list_n; i++)
        put_fish_command(command_list[i].entry, out);
    buf_puts(out, "complete -c promptcc -n '__promptcc_in help' -f -a '");
    put_names(out);
    buf_puts(out, "'\n");
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
    .summary = "prints the completion script for a shell",
    .about = "It completes commands, options and values. Values are words "
             "(optimizers, formats), files with the right ending, or the jobs "
             "of the store that --store names or that is in the current "
             "folder. It asks no coordinator. `./bootstrap install` puts it "
             "where the shells look for it.",
    .example = "promptcc completion bash > "
               "~/.local/share/bash-completion/completions/promptcc",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
