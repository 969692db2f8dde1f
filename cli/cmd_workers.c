#include "cli/command.h"
#include "cli/history_file.h"
#include "cli/listing.h"
#include "common/shell_word.h"

enum { TEXT_BYTES = 4096 };

static const struct grid_column columns[] = {
    {"WORKER", "name", GRID_TEXT, false},
    {"STATE", "state", GRID_TEXT, false},
    {"SLOTS", "slots", GRID_COUNT, false},
    {"CALLS", "calls", GRID_COUNT, false},
    {"MODELS", "models", GRID_LIST, true},
    {"LAST FAULT", "last_fault", GRID_TEXT, true},
    {"WHY SO FEW CALLS", "reason", GRID_TEXT, true},
};

static void put_none(const struct options *options, struct buf *out)
{
    const char *endpoint = option_text(options, OPT_COORDINATOR);

    buf_puts(out, "no workers");
    if (endpoint != NULL) {
        buf_puts(out, ": start one with `promptcc worker --coordinator ");
        shell_word_show(endpoint, out);
        buf_putc(out, '`');
    }
    if (!option_on(options, OPT_ALL))
        buf_puts(out, "; --all lists those that are gone");
}

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    struct buf none = BUF_INIT(TEXT_BYTES);
    json_t *argument =
        json_pack("{s:b}", "all", (int)option_on(options, OPT_ALL));
    int status;

    put_none(options, &none);
    status = listing_print(
        options, history_ask(options, "workers", NULL, argument, &err), columns,
        sizeof columns / sizeof *columns, none.data == NULL ? "" : none.data,
        &err);
    buf_release(&none);
    json_decref(argument);
    return status;
}

const struct command_entry cmd_workers = {
    .name = "workers",
    .usage = "",
    .summary =
        "lists the workers of a cluster, or of the run that uses a store",
    .about = "With --all it also lists earlier ones that the store remembers.",
    .example = "promptcc workers --coordinator tcp://127.0.0.1:5570",
    .options = OPTIONS_HISTORY | OPTION_BIT(OPT_ALL) | OPTION_BIT(OPT_CSV) |
               OPTION_BIT(OPT_JSON),
    .max_operands = 0,
    .document = "a list of `name`, `state`, `slots`, `models`, `calls`, "
                "`last_fault`, `server`, `open` (calls in flight), `faults`, "
                "`reason`; the last three are null without --coordinator",
    .run = run,
};
