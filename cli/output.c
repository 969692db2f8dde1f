#include "cli/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/option_about.h"
#include "cli/option_table.h"
#include "cli/terminal.h"
#include "cli/wrap.h"
#include "common/error_document.h"
#include "common/json.h"
#include "common/plain.h"

enum {
    OUTPUT_MAX_BYTES = 512 << 20,
    FINDINGS_MAX_BYTES = 4 << 20,
    SAY_MAX_BYTES = 1 << 20,
};

const struct exit_meaning exit_meanings[] = {
    {EXIT_DONE, "done"},
    {EXIT_FAILED, "failed"},
    {EXIT_USAGE, "wrong usage or bad input, or the store is in use"},
    {EXIT_PAUSED, "paused, because calls could not be answered; run the "
                  "command again to continue"},
    {EXIT_BELOW, "the score is below --fail-below"},
    {EXIT_STOPPED, "interrupted; run the command again to continue"},
    {0, NULL},
};

int exit_of(enum err_code code)
{
    switch (code) {
    case ERR_NONE:
        return EXIT_DONE;
    case ERR_INPUT:
    case ERR_BUSY:
    case ERR_LIMIT:
        return EXIT_USAGE;
    case ERR_FAULT:
        return EXIT_PAUSED;
    case ERR_STOPPED:
        return EXIT_STOPPED;
    case ERR_NOMEM:
    case ERR_IO:
    case ERR_PROTOCOL:
    case ERR_STORE:
    case ERR_BUDGET:
    case ERR_DIFFERS:
        return EXIT_FAILED;
    }
    return EXIT_FAILED;
}

// Writes to standard error, wrapped if that is a terminal.
static void say_text(const struct buf *text)
{
    struct terminal terminal = terminal_of(STDERR_FILENO);
    struct buf wrapped = BUF_INIT(FINDINGS_MAX_BYTES);
    const struct buf *shown = text;

    if (terminal.live && text->data != NULL) {
        wrap_lines((size_t)terminal.width - 1, text->data, &wrapped);
        shown = &wrapped;
    }
    if (shown->data != NULL)
        (void)terminal_write(stderr, shown->data, shown->len);
    buf_release(&wrapped);
}

void output_say(const char *format, ...)
{
    struct buf text = BUF_INIT(SAY_MAX_BYTES);
    va_list args;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    say_text(&text);
    buf_release(&text);
}

static int report_unwritten(void)
{
    output_say("promptcc: cannot write to standard output: %s\n",
               strerror(errno));
    return EXIT_FAILED;
}

static int report_full_buffer(const struct err *err)
{
    output_say("promptcc: %s\n", err->text);
    return EXIT_FAILED;
}

int output_text(const struct buf *text)
{
    struct err err = ERR_CLEAR;

    if (!buf_ok(text, "the output", &err))
        return report_full_buffer(&err);
    return terminal_write(stdout, text->len > 0 ? text->data : "", text->len)
               ? EXIT_DONE
               : report_unwritten();
}

int output_json_text(const struct buf *document)
{
    struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);
    struct err err = ERR_CLEAR;
    int status = EXIT_DONE;

    if (document->len > 0)
        plain_put_json(&text, document->data, document->len);
    if (!buf_ok(document, "the output", &err) ||
        !buf_ok(&text, "the output", &err))
        status = report_full_buffer(&err);
    else if (fwrite(text.data, 1, text.len, stdout) != text.len ||
             fflush(stdout) != 0)
        status = report_unwritten();
    buf_release(&text);
    return status;
}

int output_lines(const struct terminal *terminal, const struct buf *text)
{
    struct buf wrapped = BUF_INIT(OUTPUT_MAX_BYTES);
    int status;

    if (!terminal->live || text->failed || text->data == NULL)
        return output_text(text);
    wrap_lines((size_t)terminal->width - 1, text->data, &wrapped);
    status = output_text(&wrapped);
    buf_release(&wrapped);
    return status;
}

int output_json(const json_t *document)
{
    struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);
    int status;

    json_put(&text, document);
    buf_putc(&text, '\n');
    status = output_json_text(&text);
    buf_release(&text);
    return status;
}

static int put_error_document(const struct err *err)
{
    json_t *document = error_document_json(err);

    if (document != NULL)
        (void)output_json(document);
    json_decref(document);
    return exit_of(err->code);
}

// Names the variable of each option that the message is about, and that is not
// on the command line: whoever exported it for another command may have
// forgotten it.
static void say_variables(const struct options *options, const char *text)
{
    char name[64];

    for (int id = 0; id < OPTION_COUNT; id++) {
        option_env((enum option_id)id, name, sizeof name);
        if (strstr(text, name) == NULL &&
            option_is_from_variable(options, (enum option_id)id, text))
            output_say("promptcc: --%s is not on the command line: it comes "
                       "from the variable %s\n",
                       option_rows[id].name, name);
    }
}

int output_error(const struct options *options, const struct err *err)
{
    const char *prefix = error_place(err->text) > 0 ? "" : "promptcc: ";

    output_say("%s%s\n", prefix, err->text);
    if (options != NULL)
        say_variables(options, err->text);
    if (options != NULL && option_on(options, OPT_JSON))
        return put_error_document(err);
    return exit_of(err->code);
}

int output_findings(const struct options *options, const struct diags *diags,
                    const struct err *err)
{
    struct buf text = BUF_INIT(FINDINGS_MAX_BYTES);
    struct err first = *err;

    diags_print(diags, &text);
    say_text(&text);
    buf_release(&text);
    if (first.code != ERR_NONE)
        return output_error(options, &first);
    if (diags_ok(diags, &first))
        return EXIT_DONE;
    if (option_on(options, OPT_JSON))
        return put_error_document(&first);
    if (first.code != ERR_INPUT)
        output_say("promptcc: %s\n", first.text);
    return exit_of(first.code);
}
