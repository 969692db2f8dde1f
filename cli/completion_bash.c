#include "cli/completion.h"

#include "cli/command_list.h"

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
    buf_printf(out, "_promptcc_offer '%s' '%s' %s", offered_words(offered),
               offered_files(offered), offered->jobs ? "jobs" : "''");
}

static void put_bash_options(const struct command_entry *entry, struct buf *out)
{
    struct option_about about;
    struct offered offered;

    buf_printf(out, "    %s) options='--help --version", entry->name);
    for (int id = 0; completion_option(entry, &id, &about); id++)
        buf_printf(out, " --%s", about.name);
    buf_puts(out, "' values='");
    for (int id = 0; completion_option(entry, &id, &about); id++)
        if (completion_has_value(&about))
            buf_printf(out, " --%s", about.name);
    offered_operands(entry, &offered);
    buf_puts(out, " '\n        operands=\"");
    put_bash_offer(&offered, out);
    buf_puts(out, "\" ;;\n");
    offered_release(&offered);
}

static void put_bash_values(struct buf *out)
{
    struct option_about about;

    for (int id = 0; id < OPTION_COUNT; id++) {
        struct offered offered;

        option_describe(NULL, (enum option_id)id, &about);
        offered_value(&about, &offered);
        if (offered.words.len + offered.files.len > 0 || offered.jobs) {
            buf_printf(out, "        --%s) ", about.name);
            put_bash_offer(&offered, out);
            buf_puts(out, " ;;\n");
        }
        offered_release(&offered);
    }
}

void completion_bash(struct buf *out)
{
    buf_puts(out, bash_head);
    buf_puts(out, "        _promptcc_offer '");
    completion_put_names(out);
    buf_puts(out, " help --help --version' '' ''\n"
                  "        return\n"
                  "    fi\n"
                  "    case ${COMP_WORDS[1]} in\n"
                  "    help) operands=\"_promptcc_offer '");
    completion_put_names(out);
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
