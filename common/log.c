#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/plain.h"
#include "common/text.h"
#include "common/token_bucket.h"

enum {
    LINE_BYTES = 2048,
    MORE_BYTES = 48, // of a line, for "and N more of this kind"
    KINDS = 128,     // ids that are counted; more than exist
};

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

// The lines with one id. Ids are string literals, so equal ids may have
// different addresses.
struct kind {
    const char *id; // NULL if free
    struct token_bucket lines;
    long left_out;
};

static pthread_mutex_t kinds_lock = PTHREAD_MUTEX_INITIALIZER;
static struct kind kinds[KINDS];

static struct kind *find_kind(const char *id, int64_t now_ms)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].id == NULL)
            kinds[i] = (struct kind){
                .id = id,
                .lines = token_bucket_full(LOG_BURST, LOG_PER_S, now_ms)};
        if (strcmp(kinds[i].id, id) == 0)
            return &kinds[i];
    }
    return NULL;
}

// Returns true if a line with this id may be written now. *left_out is how many
// were dropped since the last one.
static bool is_allowed(const char *id, long *left_out)
{
    int64_t now_ms = clock_monotonic_ms();
    struct kind *kind;
    bool allowed = true;

    *left_out = 0;
    pthread_mutex_lock(&kinds_lock);
    kind = find_kind(id, now_ms);
    if (kind != NULL) {
        allowed = token_bucket_take(&kind->lines, 1, now_ms);
        *left_out = kind->left_out;
        kind->left_out = allowed ? 0 : kind->left_out + 1;
    }
    pthread_mutex_unlock(&kinds_lock);
    return allowed;
}

// Writes "HH:MM:SS level id: "; returns its length.
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

// Each line is a single write(2), so lines of different threads do not mix.
void log_line(enum log_level level, const char *id, const char *format, ...)
{
    char line[LINE_BYTES];
    int kept_errno = errno;
    long left_out = 0;
    va_list args;

    if (level >= LOG_SILENT || (int)level < atomic_load(&lowest) ||
        !is_allowed(id, &left_out))
        return;
    size_t len = put_head(line, level, id);
    va_start(args, format);
    len +=
        text_vprint(line + len, sizeof line - MORE_BYTES - len, format, args);
    va_end(args);
    if (left_out > 0)
        len += text_print(line + len, sizeof line - len,
                          " (and %ld more of this kind)", left_out);

    // Text from outside must not forge a second line or control the terminal.
    len = plain_flatten(line, len);
    line[len++] = '\n';
    // If standard error itself fails, there is nowhere to report it.
    ssize_t put = write(STDERR_FILENO, line, len);
    (void)put;
    errno = kept_errno;
}
