#include "program/job/rows_text.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "program/source/encoding.h"
#include "program/source/json_scan.h"

enum { CHUNK_BYTES = 1 << 16 };

// Appends one line, its end included. What passes a row's limit is left out;
// the row is then one byte too long, and refused as such. False when the
// stream cannot be read.
static bool read_line(struct rows_text *text, struct err *err)
{
    FILE *stream = text->stream;
    size_t start = text->bytes.len;
    int c = EOF;

    errno = 0;
    while ((c = getc_unlocked(stream)) != EOF) {
        if (c == '\n' || text->bytes.len - start <= ROWS_MAX_ROW_BYTES)
            buf_putc(&text->bytes, (char)c);
        if (c == '\n')
            break;
    }
    text->ended = c == EOF;
    if (c == EOF && ferror(stream)) {
        err_set(err, ERR_INPUT, "cannot read %.150s: %s", text->name,
                strerror(errno));
        return false;
    }
    return buf_ok(&text->bytes, "a line", err);
}

// Reads until bytes hold `most` of them, or the stream has no more.
static bool read_until(struct rows_text *text, size_t most, struct err *err)
{
    FILE *stream = text->stream;

    errno = 0;
    while (!text->ended && !text->bytes.failed && text->bytes.len < most) {
        char chunk[CHUNK_BYTES];
        size_t n = fread(chunk, 1, sizeof chunk, stream);
        buf_append(&text->bytes, chunk, n);
        text->ended = n < sizeof chunk;
    }
    if (ferror(stream)) {
        err_set(err, ERR_INPUT, "cannot read %.150s: %s", text->name,
                strerror(errno));
        return false;
    }
    if (text->bytes.failed && !text->bytes.no_memory) {
        err_set(err, ERR_LIMIT,
                "%.150s is larger than %d MiB: write it as JSON lines in "
                "UTF-8, which are read line by line, or in parts",
                text->name, ROWS_MAX_BYTES >> 20);
        return false;
    }
    return buf_ok(&text->bytes, "a file", err);
}

// What was read so far is the text from here on.
static void look_at_bytes(struct rows_text *text)
{
    text->data = text->bytes.data == NULL ? "" : text->bytes.data;
    text->len = text->bytes.len;
}

bool rows_text_line(struct rows_text *text, struct err *err)
{
    bool ok = read_line(text, err);

    look_at_bytes(text);
    return ok;
}

static bool read_head(struct rows_text *text, struct err *err)
{
    char head[ENCODING_HEAD_BYTES];
    size_t n = fread(head, 1, sizeof head, text->stream);

    buf_append(&text->bytes, head, n);
    if (n < sizeof head || encoding_is_wide(head, n))
        return read_until(text, SIZE_MAX, err);
    return head[n - 1] == '\n' || read_line(text, err);
}

bool rows_text_open(struct rows_text *text, const struct rows_input *input,
                    size_t *at, struct err *err)
{
    const char *data = input->data;
    size_t len = input->len;

    *text = (struct rows_text){.name = input->name,
                               .stream = input->stream,
                               .bytes = BUF_INIT(ROWS_MAX_BYTES),
                               .decoded = BUF_INIT(2 * (size_t)ROWS_MAX_BYTES)};
    if (text->stream != NULL) {
        if (!read_head(text, err))
            return false;
        look_at_bytes(text);
        data = text->data;
        len = text->len;
    } else {
        text->ended = true;
    }
    if (!encoding_decode(data, len, &text->decoded, &text->data, &text->len,
                         err))
        return false;
    // A mark that was skipped stays in bytes: offsets count from behind it.
    *at = 0;
    if (text->stream != NULL && text->data != text->decoded.data) {
        *at = (size_t)(text->data - data);
        look_at_bytes(text);
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
    look_at_bytes(text);
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
    look_at_bytes(text);
}

void rows_text_release(struct rows_text *text)
{
    buf_release(&text->bytes);
    buf_release(&text->decoded);
}

void rows_text_skip_line(struct rows_text *text)
{
    int c = EOF;

    if (text->len > 0 && text->data[text->len - 1] == '\n')
        return;
    while ((c = getc_unlocked(text->stream)) != EOF && c != '\n')
        continue;
    if (c == EOF)
        text->ended = true;
    else
        (void)ungetc(c, text->stream);
}
