#include "cli/check_finding.h"

#include <stdarg.h>

#include "common/text.h"

enum {
    NAME_BYTES = 1024,
    NAMES_BYTES = 200,
};

void check_finding_nomem(struct jobfile *file, const struct err *err)
{
    if (err->code == ERR_NOMEM)
        file->diags->nomem = true;
}

struct place check_finding_place(const struct jobfile *file)
{
    return (struct place){.file = file->path};
}

void check_finding_name(struct buf *names, const char *format, ...)
{
    char name[NAME_BYTES];
    va_list args;

    if (names->len >= NAMES_BYTES)
        return;
    va_start(args, format);
    (void)text_vprint(name, sizeof name, format, args);
    va_end(args);
    buf_printf(names, "%s%s", names->len > 0 ? ", " : "", name);
    if (names->len >= NAMES_BYTES)
        buf_puts(names, ", ...");
}
