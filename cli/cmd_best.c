#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/amounts.h"
#include "cli/command.h"
#include "cli/history_file.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "common/json.h"
#include "common/plain.h"
#include "common/text.h"

enum { TEXT_BYTES = 16 << 20 };

static const struct grid_column columns[] = {
    {"RANK", "rank", GRID_COUNT, false},
    {"TRIAL", "trial", GRID_COUNT, false},
    {"KIND", "kind", GRID_TEXT, false},
    {"SCORE", "score", GRID_PERCENT, false},
    {"BASELINE", "baseline", GRID_PERCENT, false},
    {"N", "n", GRID_COUNT, false},
    {"INSTRUCTIONS", "instructions", GRID_CHOICES, true},
    {"DEMO SETS", "demos", GRID_CHOICES, true},
    {"TUNED", "tuned", GRID_VALUES, true},
};

// Appends a text that may have several lines, indented.
static void put_lines(const char *text, struct buf *out)
{
    const char *end;

    for (; text != NULL; text = *end == '\0' ? NULL : end + 1) {
        end = text + strcspn(text, "\n");
        if (end > text)
            buf_puts(out, "  ");
        plain_put_line(out, text, (size_t)(end - text));
        buf_putc(out, '\n');
    }
}

// Appends the prompts of the best candidate in full.
static void put_prompts(const json_t *prompts, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(prompts); i++) {
        const json_t *part = json_array_get(prompts, i);

        buf_printf(out, "\n%s, ", json_get_text(part, "step", "?"));
        put_count(out, (int64_t)json_array_size(json_object_get(part, "demos")),
                  "demo");
        buf_puts(out, ":\n");
        put_lines(json_get_text(part, "instruction", ""), out);
    }
}

static int print_best(const struct options *options, const json_t *rows)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    struct buf text = BUF_INIT(TEXT_BYTES);
    int status;

    if (option_on(options, OPT_JSON))
        return output_json(rows);
    if (option_on(options, OPT_CSV))
        return listing_print_csv(columns, sizeof columns / sizeof *columns,
                                 rows);
    if (json_array_size(rows) == 0) {
        output_say("no scored trials yet\n");
        return EXIT_DONE;
    }
    grid_put(&terminal, columns, sizeof columns / sizeof *columns, rows, &text);
    put_prompts(json_object_get(json_array_get(rows, 0), "prompts"), &text);
    status = output_lines(&terminal, &text);
    buf_release(&text);
    return status;
}

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    json_t *argument = json_pack(
        "{s:I}", "limit", (json_int_t)option_number(options, OPT_LIMIT, 0));
    json_t *rows =
        history_ask(options, "best", history_operand(options), argument, &err);
    int status =
        rows == NULL ? output_error(options, &err) : print_best(options, rows);

    json_decref(argument);
    json_decref(rows);
    return status;
}

const struct command_entry cmd_best = {
    .name = "best",
    .usage = "[ID]",
    .summary = "shows the best candidates of a job and the prompts of the "
               "first",
    .example = "promptcc best customer-care --store promptcc.db",
    .options = OPTIONS_HISTORY | OPTION_BIT(OPT_JSON) | OPTION_BIT(OPT_CSV) |
               OPTION_BIT(OPT_LIMIT),
    .max_operands = 1,
    .document = "a list of `rank`, `trial`, `kind`, `score`, `baseline` (its "
                "score on the same rows), `n`, `candidate`, `instructions`, "
                "`demos`, `tuned`; the first with `prompts`",
    .run = run,
};
