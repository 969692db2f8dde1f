#include "program/job/rows_text.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program/source/encoding.h"
#include "program/source/json_scan.h"

// Makes sure that `ahead` contains bytes, by reading more if it is empty. At
// the end of the stream, sets `ended`. Returns false on a read error.
static bool fetch(struct rows_text *text, struct err *err)
{
    ssize_t n;

    if (text->ahead_at < text->ahead_len)
        return true;
    do
        n = read(fileno(text->stream), text->ahead, ROWS_AHEAD_BYTES);
    while (n < 0 && errno == EINTR);
    text->ended = n <= 0;
    text->ahead_at = 0;
    text->ahead_len = n < 0 ? 0 : (size_t)n;
    if (n < 0)
        err_set(err, ERR_INPUT, "reading stopped: %s", strerror(errno));
    return n >= 0;
}

// Takes the bytes ahead up to the end of the line, or all of them, and appends
// at most `most` of them. Returns true if the line ended.
static bool take_line(struct rows_text *text, size_t most)
{
    const char *from = text->ahead + text->ahead_at;
    size_t left = text->ahead_len - text->ahead_at;
    const char *end = memchr(from, '\n', left);
    size_t n = end == NULL ? left : (size_t)(end - from);

    buf_append(&text->bytes, from, n < most ? n : most);
    if (end != NULL)
        buf_putc(&text->bytes, '\n');
    text->ahead_at += n + (end != NULL);
    return end != NULL;
}

// Appends one line, including its end. What exceeds the size limit of a row is
// left out; the row is then one byte too long, and rejected as such. Returns
// false on a read error.
static bool read_line(struct rows_text *text, struct err *err)
{
    size_t most = text->bytes.len + ROWS_MAX_ROW_BYTES + 1;

    do {
        if (!fetch(text, err))
            return false;
    } while (!text->ended && !take_line(text, most - text->bytes.len));
    return buf_ok(&text->bytes, "a line", err);
}

// Reads until `bytes` has `most` bytes or the stream ends.
static bool read_until(struct rows_text *text, size_t most, struct err *err)
{
    while (!text->ended && !text->bytes.failed && text->bytes.len < most) {
        if (!fetch(text, err))
            return false;
        buf_append(&text->bytes, text->ahead + text->ahead_at,
                   text->ahead_len - text->ahead_at);
        text->ahead_at = text->ahead_len;
    }
    if (text->bytes.failed && !text->bytes.no_memory) {
        err_set(err, ERR_LIMIT,
                "this is larger than %d MiB: write it as JSON lines in UTF-8, "
                "which are read line by line, or split it",
                ROWS_MAX_BYTES >> 20);
        return false;
    }
    return buf_ok(&text->bytes, "a file", err);
}

// Makes the text what has been read so far.
static void use_bytes(struct rows_text *text)
{
    text->data = text->bytes.data == NULL ? "" : text->bytes.data;
    text->len = text->bytes.len;
}

bool rows_text_line(struct rows_text *text, struct err *err)
{
    bool ok = read_line(text, err);

    use_bytes(text);
    return ok;
}

static bool read_head(struct rows_text *text, struct err *err)
{
    while (text->bytes.len < ENCODING_HEAD_BYTES) {
        if (!fetch(text, err))
            return false;
        if (text->ended)
            return true;
        buf_putc(&text->bytes, text->ahead[text->ahead_at++]);
    }
    if (encoding_is_wide(text->bytes.data, text->bytes.len))
        return read_until(text, SIZE_MAX, err);
    return text->bytes.data[text->bytes.len - 1] == '\n' ||
           read_line(text, err);
}

bool rows_text_open(struct rows_text *text, const struct rows_input *input,
                    size_t *at, struct err *err)
{
    const char *data = input->data;
    size_t len = input->len;

    *text = (struct rows_text){.stream = input->stream,
                               .bytes = BUF_INIT(ROWS_MAX_BYTES),
                               .decoded = BUF_INIT(2 * (size_t)ROWS_MAX_BYTES)};
    if (text->stream != NULL) {
        text->ahead = malloc(ROWS_AHEAD_BYTES);
        if (text->ahead == NULL) {
            err_nomem(err, "a file");
            return false;
        }
        if (!read_head(text, err))
            return false;
        use_bytes(text);
        data = text->data;
        len = text->len;
    } else {
        text->ended = true;
    }
    if (!encoding_decode(data, len, &text->decoded, &text->data, &text->len,
                         NULL, err))
        return false;
    // A byte order mark that was skipped stays in bytes, so the text starts
    // after it.
    *at = 0;
    if (text->stream != NULL && !encoding_is_wide(data, len)) {
        *at = (size_t)(text->data - data);
        use_bytes(text);
    }
    while (!text->ended &&
           scan_space(text->data, text->len, *at) == text->len) {
        if (!rows_text_line(text, err))
            return false;
    }
    return true;
}

bool rows_text_fill(struct rows_text *text, size_t most, struct err *err)
{
    if (text->ended)
        return true;
    if (!read_until(text, most, err))
        return false;
    use_bytes(text);
    return true;
}

bool rows_text_whole(struct rows_text *text, struct err *err)
{
    return rows_text_fill(text, SIZE_MAX, err);
}

void rows_text_drop(struct rows_text *text, size_t n)
{
    size_t left = text->bytes.len - n;

    if (n > 0) {
        memmove(text->bytes.data, text->bytes.data + n, left);
        text->bytes.data[left] = '\0';
        text->bytes.len = left;
    }
    use_bytes(text);
}

bool rows_text_would_block(const struct rows_text *text, size_t at)
{
    struct pollfd item = {.events = POLLIN};

    if (text->stream == NULL || text->ended ||
        memchr(text->data + at, '\n', text->len - at) != NULL ||
        text->ahead_at < text->ahead_len)
        return false;
    item.fd = fileno(text->stream);
    return poll(&item, 1, 0) == 0;
}

void rows_text_release(struct rows_text *text)
{
    buf_release(&text->bytes);
    buf_release(&text->decoded);
    free(text->ahead);
}

void rows_text_skip_line(struct rows_text *text)
{
    struct err ignored = ERR_CLEAR;

    if (text->len > 0 && text->data[text->len - 1] == '\n')
        return;
    while (fetch(text, &ignored) && !text->ended) {
        const char *from = text->ahead + text->ahead_at;
        const char *end = memchr(from, '\n', text->ahead_len - text->ahead_at);

        if (end != NULL) {
            text->ahead_at += (size_t)(end - from);
            return;
        }
        text->ahead_at = text->ahead_len;
    }
}
