// journal: the log of all programs in the machine, with virtual time.

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/log.h"
#include "simulation/machine.h"

static enum log_level least = LOG_WARN;

void log_set_level(enum log_level level)
{
    least = level;
}

void log_line(enum log_level level, const char *id, const char *format, ...)
{
    int64_t ms = machine_now_us() / 1000;
    va_list args;

    if (level < least)
        return;
    (void)fprintf(stderr, "%6" PRId64 ".%03" PRId64 " [%d] %s: ", ms / 1000,
                  ms % 1000, machine_process(), id);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}
