#include "program/source/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

enum {
    CHUNK_BYTES = 8192,
    TAR_AT = 257, // offset of the magic in a tar archive
    BINARY_HEAD_BYTES = 512,
};

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

// Byte order marks. UTF-32 comes before UTF-16, because the little-endian mark
// of UTF-32 begins with that of UTF-16.
static const struct mark {
    const char *bytes;
    size_t n;
    const char *encoding; // for iconv; NULL: UTF-8
} marks[] = {
    {"\xEF\xBB\xBF", 3, NULL},       {"\xFF\xFE\0\0", 4, "UTF-32LE"},
    {"\0\0\xFE\xFF", 4, "UTF-32BE"}, {"\xFF\xFE", 2, "UTF-16LE"},
    {"\xFE\xFF", 2, "UTF-16BE"},
};

// Files that people pass by mistake instead of text.
static const struct magic {
    const char *bytes;
    size_t n;
    const char *what;
    const char *remedy;
    bool general; // the remedy holds whatever the file should be
} magics[] = {
    {"PK\x03\x04", 4, "a zip or an Excel file",
     "unpack it, or save the sheet as CSV (UTF-8)"},
    {"\xD0\xCF\x11\xE0", 4, "an old Excel file",
     "save the sheet as CSV (UTF-8)"},
    {"PAR1", 4, "a Parquet file",
     "write it as JSON lines, in pandas with to_json(NAME, orient='records', "
     "lines=True)"},
    {"ARROW1", 6, "an Arrow file",
     "write it as JSON lines, in pandas with to_json(NAME, orient='records', "
     "lines=True)"},
    {"\x1F\x8B", 2, "compressed by gzip", "unpack it with `gunzip`", true},
    {"\x28\xB5\x2F\xFD", 4, "compressed by zstd", "unpack it with `unzstd`",
     true},
    {"\xFD"
     "7zXZ",
     5, "compressed by xz", "unpack it with `unxz`", true},
    {"BZh", 3, "compressed by bzip2", "unpack it with `bunzip2`", true},
    {"SQLite f", 8, "an SQLite database", "write the rows out as CSV"},
    {"%PDF", 4, "a PDF", "write the rows as CSV or JSON lines"},
    {"\x80\x04\x95", 3, "a Python pickle",
     "write the rows as JSON lines, with json.dumps"},
    {"\x80\x05\x95", 3, "a Python pickle",
     "write the rows as JSON lines, with json.dumps"},
    {"\x93NUMPY", 6, "a NumPy array",
     "write the rows as JSON lines, with json.dumps"},
    {"\x89HDF", 4, "an HDF5 file", "write the rows as CSV or JSON lines"},
    {"7z\xBC\xAF", 4, "a 7z archive", "unpack it with `7z x`", true},
    {"Obj\x01", 4, "an Avro file", "write the rows as CSV or JSON lines"},
    {"{\\rtf", 5, "a word processor document",
     "write the rows as CSV or JSON lines"},
    {"Rar!", 4, "a RAR archive", "unpack it", true},
    {"\x89PNG", 4, "an image", "write the rows as CSV or JSON lines"},
    {"\xFF\xD8\xFF", 3, "an image", "write the rows as CSV or JSON lines"},
    {"GIF8", 4, "an image", "write the rows as CSV or JSON lines"},
    {"version https://git-lfs", 23,
     "the pointer that Git LFS leaves in place "
     "of a file",
     "fetch the file with `git lfs pull`", true},
    {"<!DOCTYPE html", 14, "an HTML page",
     "is this the file you meant to download?", true},
    {"<!doctype html", 14, "an HTML page",
     "is this the file you meant to download?", true},
    {"<html", 5, "an HTML page", "is this the file you meant to download?",
     true},
    {"<?xml", 5, "XML", "write the rows as CSV or JSON lines"},
};

static bool begins(const char *data, size_t len, const char *bytes, size_t n)
{
    return len >= n && memcmp(data, bytes, n) == 0;
}

static const struct mark *find_mark(const char *data, size_t len)
{
    static const struct mark unmarked_le = {"", 0, "UTF-16LE"};
    static const struct mark unmarked_be = {"", 0, "UTF-16BE"};

    for (size_t i = 0; i < LENGTH(marks); i++) {
        if (begins(data, len, marks[i].bytes, marks[i].n))
            return &marks[i];
    }
    if (len < 4)
        return NULL;
    if (data[0] != 0 && data[1] == 0 && data[2] != 0 && data[3] == 0)
        return &unmarked_le;
    if (data[0] == 0 && data[1] != 0 && data[2] == 0 && data[3] != 0)
        return &unmarked_be;
    return NULL;
}

bool encoding_is_wide(const char *head, size_t len)
{
    const struct mark *mark = find_mark(head, len);

    return mark != NULL && mark->encoding != NULL;
}

static bool refuse_magic(const char *data, size_t len, const char *remedy,
                         struct err *err)
{
    if (len > TAR_AT && begins(data + TAR_AT, len - TAR_AT, "ustar", 5)) {
        err_set(err, ERR_INPUT,
                "this is not text but a tar archive: unpack it with `tar xf`");
        return true;
    }
    for (size_t i = 0; i < LENGTH(magics); i++) {
        if (!begins(data, len, magics[i].bytes, magics[i].n))
            continue;
        err_set(err, ERR_INPUT, "this is not text but %s: %s", magics[i].what,
                remedy == NULL || magics[i].general ? magics[i].remedy
                                                    : remedy);
        return true;
    }
    return false;
}

// Refuses programs and the like, which have zero bytes in their first line.
// JSON is left to the reader of the rows, which can name the line of a zero
// byte.
static bool refuse_binary(const char *data, size_t len, const char *remedy,
                          struct err *err)
{
    size_t head = len < BINARY_HEAD_BYTES ? len : BINARY_HEAD_BYTES;
    const char *zero = len == 0 ? NULL : memchr(data, '\0', head);

    if (zero == NULL || data[0] == '{' || data[0] == '[' ||
        memchr(data, '\n', (size_t)(zero - data)) != NULL)
        return false;
    err_set(err, ERR_INPUT, "this is not text but binary data: %s",
            remedy != NULL ? remedy : "write the rows as CSV or JSON lines");
    return true;
}

// Converts data into `out` with iconv, a chunk at a time.
static bool convert(iconv_t how, const char *data, size_t len, struct buf *out)
{
    char *from = (char *)data; // iconv takes a char * but does not write to it

    while (len > 0 && !out->failed) {
        char chunk[CHUNK_BYTES];
        char *to = chunk;
        size_t room = sizeof chunk;
        size_t result = iconv(how, &from, &len, &to, &room);

        buf_append(out, chunk, sizeof chunk - room);
        if (result == (size_t)-1 && errno != E2BIG)
            return false;
    }
    return true;
}

static bool decode_wide(const struct mark *mark, const char *data, size_t len,
                        struct buf *spare, struct err *err)
{
    iconv_t how = iconv_open("UTF-8", mark->encoding);

    if (how == (iconv_t)-1) {
        err_set(err, ERR_INPUT,
                "this machine cannot read %s: save the file as UTF-8",
                mark->encoding);
        return false;
    }
    bool ok = convert(how, data, len, spare);
    (void)iconv_close(how);
    if (!ok)
        err_set(err, ERR_INPUT,
                "this looks like %s, but is broken: save the file as UTF-8",
                mark->encoding);
    return ok && buf_ok(spare, "a data file", err);
}

bool encoding_decode(const char *data, size_t len, struct buf *spare,
                     const char **text, size_t *text_len, const char *remedy,
                     struct err *err)
{
    if (refuse_magic(data, len, remedy, err))
        return false;
    const struct mark *mark = find_mark(data, len);
    size_t skip = mark == NULL ? 0 : mark->n;
    if (mark == NULL || mark->encoding == NULL) {
        while (begins(data + skip, len - skip, "\xEF\xBB\xBF", 3))
            skip += 3; // a second mark, added by another program
        if (refuse_binary(data + skip, len - skip, remedy, err))
            return false;
        *text = data + skip;
        *text_len = len - skip;
        return true;
    }
    if (!decode_wide(mark, data + skip, len - skip, spare, err))
        return false;
    *text = spare->data == NULL ? "" : spare->data;
    *text_len = spare->len;
    return true;
}
