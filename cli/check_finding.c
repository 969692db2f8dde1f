#include "cli/check_finding.h"

#include <stdarg.h>

enum { NAMES_BYTES = 200 };

struct place check_finding_place(const struct jobfile *file)
{
    return (struct place){.file = file->path};
}

void check_finding_name(struct buf *names, const char *format, ...)
{
    va_list args;

    if (names->len >= NAMES_BYTES)
        return;
    buf_puts(names, names->len > 0 ? ", " : "");
    va_start(args, format);
    buf_vprintf(names, format, args);
    va_end(args);
    if (names->len >= NAMES_BYTES)
        buf_puts(names, ", ...");
}
