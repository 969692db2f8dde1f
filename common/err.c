#include "common/err.h"

#include <stdarg.h>

#include "common/text.h"

void err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return;
    va_start(args, format);
    text_vprint(err->text, sizeof err->text, format, args);
    va_end(args);
    err->code = code;
}

void err_nomem(struct err *err, const char *what)
{
    err_set(err, ERR_NOMEM, "no memory for %s", what);
}

const char *err_code_name(enum err_code code)
{
    static const char *const names[] = {
        [ERR_NONE] = "none",         [ERR_NOMEM] = "nomem",
        [ERR_INPUT] = "input",       [ERR_IO] = "io",
        [ERR_BUSY] = "busy",         [ERR_LIMIT] = "limit",
        [ERR_PROTOCOL] = "protocol", [ERR_STORE] = "store",
        [ERR_FAULT] = "fault",       [ERR_STOPPED] = "stopped",
        [ERR_BUDGET] = "budget",     [ERR_DIFFERS] = "differs",
    };

    if ((size_t)code >= sizeof names / sizeof names[0])
        return "unknown";
    return names[code];
}
