// completion: prints what a shell needs to complete our command lines
// (completion.h).

#include <string.h>

#include "cli/command.h"
#include "cli/completion.h"
#include "cli/output.h"

enum { SCRIPT_BYTES = 1 << 20 };

static const struct {
    const char *name;
    void (*put)(struct buf *out);
} shells[] = {{"bash", completion_bash},
              {"zsh", completion_zsh},
              {"fish", completion_fish}};

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
