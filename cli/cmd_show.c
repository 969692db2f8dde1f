#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/history_file.h"
#include "cli/output.h"
#include "cli/report.h"
#include "common/json.h"
#include "common/plain.h"

enum { TEXT_BYTES = 4 << 20 };

static void put_line(const char *name, const char *text, struct buf *out)
{
    if (text[0] == '\0')
        return;
    buf_printf(out, "%-13s", name);
    plain_put_line(out, text, strlen(text));
    buf_putc(out, '\n');
}

static void put_job(const struct terminal *terminal, const json_t *job,
                    struct buf *out)
{
    const json_t *document = json_object_get(job, "document");

    put_line("job", json_get_text(job, "job", ""), out);
    put_line("state", json_get_text(job, "state", ""), out);
    put_line("reason", json_get_text(job, "reason", ""), out);
    put_line("job file", json_get_text(job, "path", ""), out);
    put_line("created", json_get_text(job, "created", ""), out);
    put_line("updated", json_get_text(job, "updated", ""), out);
    buf_printf(out, "%-13s%" PRId64 "\n", "trials",
               json_get_int(job, "trials", 0));
    if (json_is_number(json_object_get(document, "score"))) {
        buf_putc(out, '\n');
        report_eval(terminal, document, out);
    } else if (json_is_string(json_object_get(document, "finish_reason"))) {
        buf_putc(out, '\n');
        report_run(terminal, document, out);
    } else if (json_is_number(json_object_get(job, "score"))) {
        buf_printf(out, "%-13s", "best so far");
        report_score(terminal, job, out);
        buf_putc(out, '\n');
    }
}

static int print_job(const struct options *options, const json_t *job)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    struct buf text = BUF_INIT(TEXT_BYTES);
    int status;

    if (option_on(options, OPT_JSON))
        return output_json(job);
    put_job(&terminal, job, &text);
    status = output_lines(&terminal, &text);
    buf_release(&text);
    return status;
}

static int run(const struct options *options)
{
    struct err err = ERR_CLEAR;
    json_t *job =
        history_ask(options, "show", history_operand(options), NULL, &err);
    int status =
        job == NULL ? output_error(options, &err) : print_job(options, job);

    json_decref(job);
    return status;
}

const struct command_entry cmd_show = {
    .name = "show",
    .usage = "[ID]",
    .summary = "shows a job: its state, its result",
    .example = "promptcc show customer-care --coordinator "
               "tcp://127.0.0.1:5570",
    .options = OPTIONS_HISTORY | OPTION_BIT(OPT_JSON),
    .max_operands = 1,
    .document = "one entry of `jobs`, with the job's `document`",
    .run = run,
};
