#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/plain.h"
#include "common/text.h"

enum { LINE_BYTES = 2048 };

static atomic_int lowest = LOG_WARN;

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARN] = "warn",
    [LOG_ERROR] = "error",
};

void log_set_level(enum log_level level)
{
    atomic_store(&lowest, (int)level);
}

// "HH:MM:SS level id: "; returns its length.
static size_t put_head(char *line, enum log_level level, const char *id)
{
    struct tm local = {0};
    time_t now = time(NULL);

    (void)localtime_r(&now, &local);
    size_t len = strftime(line, LINE_BYTES, "%H:%M:%S ", &local);
    int head = snprintf(line + len, LINE_BYTES / 2,
                        "%s %.64s: ", level_names[level], id);
    return head < 0 ? len : len + (size_t)head;
}

// One write(2) a line: lines of two threads do not mix.
void log_line(enum log_level level, const char *id, const char *format, ...)
{
    char line[LINE_BYTES];
    int kept_errno = errno;
    va_list args;

    if (level >= LOG_SILENT || (int)level < atomic_load(&lowest))
        return;
    size_t len = put_head(line, level, id);
    va_start(args, format);
    len += text_vprint(line + len, sizeof line - len, format, args);
    va_end(args);

    // What came from outside must not forge a second line or steer a terminal.
    len = plain_squash(line, len);
    line[len++] = '\n';
    // Nobody is left to tell when standard error itself fails.
    ssize_t put = write(STDERR_FILENO, line, len);
    (void)put;
    errno = kept_errno;
}
