// report: writes a job as one HTML file, or as Markdown if the name ends in
// .md.

#include <string.h>
#include <strings.h>

#include "cli/command.h"
#include "cli/history_file.h"
#include "cli/job_report.h"
#include "cli/option_about.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "common/file.h"

enum { REPORT_BYTES = 64 << 20 };

static bool ends_in(const char *path, const char *ending)
{
    size_t len = strlen(path), n = strlen(ending);

    return len > n && strcasecmp(path + len - n, ending) == 0;
}

static bool is_markdown(const char *path)
{
    return ends_in(path, ".md") || ends_in(path, ".markdown");
}

// Refuses a name that promises another format, since the file would be HTML.
static bool check_ending(const char *path, struct err *err)
{
    static const char *const others[] = {".pdf",  ".doc", ".docx", ".txt",
                                         ".json", ".csv", ".tex"};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!ends_in(path, others[i]))
            continue;
        err_set(err, ERR_INPUT,
                "--out cannot be %s: a report is HTML (FILE.html, which a "
                "browser prints as PDF) or Markdown (FILE.md); --json prints "
                "what it is made of",
                FILE_SHOWN(path, 90));
        return false;
    }
    return true;
}

static bool write_report(const struct job_report *report, const char *path,
                         struct err *err)
{
    struct buf text = BUF_INIT(REPORT_BYTES);
    bool ok;

    if (is_markdown(path))
        job_report_markdown(report, &text);
    else
        job_report_html(report, &text);
    ok = buf_ok(&text, "the report", err) &&
         file_write(path, text.data, text.len, err);
    buf_release(&text);
    return ok;
}

static int run(const struct options *options)
{
    const char *out = option_text(options, OPT_OUT);
    struct job_report report = {0};
    struct err err = ERR_CLEAR;
    int status = EXIT_DONE;

    if (out == NULL && !option_on(options, OPT_JSON))
        out = "report.html";
    if ((out != NULL && !check_ending(out, &err)) ||
        (out != NULL && !option_on(options, OPT_OUT) &&
         !out_file_check_default(out, &err)) ||
        (out != NULL &&
         !history_check_out(options, history_operand(options), out, &err)) ||
        !job_report_ask(options, history_operand(options), &report, &err) ||
        (out != NULL && !write_report(&report, out, &err)))
        status = output_error(options, &err);
    else if (option_on(options, OPT_JSON))
        status = output_json(report.parts);
    else
        output_say("wrote %s\n", out);
    job_report_release(&report);
    return status;
}

const struct command_entry cmd_report = {
    .name = "report",
    .usage = "[ID]",
    .summary = "writes what a job did as one HTML file, or as Markdown",
    .about = "The HTML file is self-contained, with plots and the prompts "
             "word by word.",
    .example = "promptcc report customer-care --out report.html",
    .options = OPTIONS_HISTORY | OPTION_BIT(OPT_OUT) | OPTION_BIT(OPT_JSON),
    .max_operands = 1,
    .option_help =
        (const struct option_help[]){
            {OPT_OUT,
             "where the report goes: as Markdown if FILE ends in .md, else as "
             "HTML",
             "report.html; with --json no file is written unless FILE is "
             "named"},
            {0}},
    .document = "an object with what the report is made of, under the names of "
                "the HTTP API: `summary`, `curve`, `cost`, `compare`, "
                "`before`, `after`, `tokens`, `importance`, `failures`",
    .run = run,
};
