#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/option_about.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "common/file.h"
#include "common/shell_word.h"
#include "predict/compiled_file.h"
#include "program/run/ensemble.h"

enum { TEXT_BYTES = 128 << 20 };

static enum ensemble_reduce reduce_of(const struct options *options)
{
    const char *name = option_text(options, OPT_REDUCE_FN);

    return name != NULL &&
                   strcmp(name, ensemble_reduce_names[ENSEMBLE_JUDGE]) == 0
               ? ENSEMBLE_JUDGE
               : ENSEMBLE_MAJORITY;
}

static bool read_members(const struct options *options,
                         struct ensemble_member *members, struct err *err)
{
    for (size_t i = 0; i < options->n_operands; i++) {
        members[i].path = options->operands[i];
        members[i].compiled = compiled_file_read(members[i].path, err);
        if (members[i].compiled == NULL)
            return false;
    }
    return true;
}

// The same file twice may be meant, as a weight, or be a slip.
static void warn_of_twins(const struct options *options)
{
    const char *const *files = (const char *const *)options->operands;

    for (size_t i = 0; i < options->n_operands; i++)
        for (size_t j = 0; j < i; j++)
            if (file_is_same(files[i], files[j])) {
                output_say("warning: %s is the same file as %s, which then has "
                           "one vote more\n",
                           files[i], files[j]);
                break;
            }
}

static int tell_json(const char *out, size_t members)
{
    json_t *document =
        json_pack("{s:s, s:I}", "out", out, "members", (json_int_t)members);
    int status = document == NULL ? EXIT_FAILED : output_json(document);

    json_decref(document);
    return status;
}

static void tell_written(const char *out)
{
    struct buf word = BUF_INIT(TEXT_BYTES);

    shell_word_show(out, &word);
    output_say("wrote %s; `promptcc eval JOB --compiled %s` says what it "
               "scores\n",
               out, word.data == NULL ? "" : word.data);
    buf_release(&word);
}

static int write_out(const struct options *options,
                     const struct ensemble_member *members, const char *out,
                     struct err *err)
{
    struct ensemble_options with = {
        .reduce = reduce_of(options),
        .field = option_text(options, OPT_FIELD),
        .size = (size_t)option_number(options, OPT_SIZE, 0)};
    struct buf text = BUF_INIT(TEXT_BYTES);
    size_t n = with.size > 0 && with.size < options->n_operands
                   ? with.size
                   : options->n_operands;

    warn_of_twins(options);
    bool ok = ensemble_write(members, options->n_operands, &with, &text, err) &&
              file_write(out, text.data, text.len, err);

    buf_release(&text);
    if (!ok)
        return output_error(options, err);
    if (option_on(options, OPT_JSON))
        return tell_json(out, n);
    tell_written(out);
    return EXIT_DONE;
}

static int run(const struct options *options)
{
    const char *out = option_text(options, OPT_OUT);
    struct err err = ERR_CLEAR;
    size_t n = options->n_operands;
    const struct out_file_reads reads = {
        .others = (const char *const *)options->operands, .n_others = n};
    struct ensemble_member *members = calloc(n, sizeof *members);
    int status;

    if (out == NULL)
        out = "ensemble.json";
    if (members == NULL)
        err_nomem(&err, "the members");
    if (members == NULL || !out_file_check(out, "--out", &reads, &err) ||
        (!option_on(options, OPT_OUT) && !out_file_check_default(out, &err)) ||
        !read_members(options, members, &err))
        status = output_error(options, &err);
    else
        status = write_out(options, members, out, &err);
    for (size_t i = 0; members != NULL && i < n; i++)
        compiled_free((struct compiled *)members[i].compiled);
    free(members);
    return status;
}

const struct command_entry cmd_ensemble = {
    .name = "ensemble",
    .usage = "COMPILED COMPILED...",
    .summary = "joins compiled programs into one that votes on their answers",
    .about = "The result runs them all and gives the answer of the majority, "
             "or with `--reduce-fn judge` the one that the model names as the "
             "best. `eval` says what it scores.",
    .example = "promptcc ensemble first.json second.json third.json "
               "--out ensemble.json",
    .options = OPTION_BIT(OPT_OUT) | OPTION_BIT(OPT_REDUCE_FN) |
               OPTION_BIT(OPT_FIELD) | OPTION_BIT(OPT_SIZE) |
               OPTION_BIT(OPT_JSON),
    .min_operands = 2,
    .max_operands = 32,
    .option_help =
        (const struct option_help[]){
            {OPT_OUT, "where the joint program goes", "ensemble.json"}, {0}},
    .document = "`out`, `members` (how many)",
    .run = run,
};
