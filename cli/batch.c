#include "cli/batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output.h"
#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "common/plain.h"
#include "program/job/columns.h"
#include "program/job/rows.h"

enum {
    TEXT_BYTES = 16 << 20,
    KEPT_MOST = 1000, // outputs of earlier runs
};

struct batch {
    const char *in_name;
    FILE *in; // owned, unless it is standard input
    struct columns *columns;
    struct rows *rows;
    struct err failure; // about the input as a whole
    FILE *out;          // owned, unless it is standard output
    char *path;         // owned: the file that `out` becomes; NULL: written
                        // directly
    char *aside;        // owned: where it is written until then
    size_t lines;       // written
    off_t whole;        // where the last of them ends in `aside`
};

static bool is_standard(const char *path)
{
    return path == NULL || strcmp(path, "-") == 0;
}

// --- opening ---

static bool open_input(struct batch *batch, const char *in, struct err *err)
{
    struct stat info;

    if (!is_standard(in) && stat(in, &info) == 0 && S_ISDIR(info.st_mode)) {
        err_set(err, ERR_INPUT,
                "cannot read %s: it is a folder: name a file in it",
                FILE_SHOWN(in, 150));
        return false;
    }
    batch->in_name = is_standard(in) ? "standard input" : in;
    batch->in = is_standard(in) ? stdin : fopen(in, "re");
    if (batch->in != NULL)
        return true;
    err_set(err, ERR_INPUT, "cannot open %s: %s", FILE_SHOWN(in, 150),
            strerror(errno));
    return false;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           S_ISREG(a->st_mode);
}

// Returns true if the outputs would go to the file that the inputs come from.
static bool is_input(const struct batch *batch, const char *out)
{
    struct stat in_info;
    struct stat out_info;
    int missing = is_standard(out) ? fstat(fileno(stdout), &out_info)
                                   : stat(out, &out_info);

    return missing == 0 && fstat(fileno(batch->in), &in_info) == 0 &&
           is_same(&in_info, &out_info);
}

// Returns the final name of a regular output file. For a symbolic link, that is
// the name of its target, so that the link stays a link.
static char *final_path(const char *out)
{
    char *real = realpath(out, NULL);

    return real != NULL ? real : strdup(out);
}

static char *with_ending(const char *path, const char *ending)
{
    char *text = malloc(strlen(path) + strlen(ending) + 1);

    if (text != NULL) {
        strcpy(text, path);
        strcat(text, ending);
    }
    return text;
}

// Returns the first free name of PATH.1, PATH.2 and so on. The caller frees the
// result; NULL if none is free, or when out of memory.
static char *free_name(const char *path)
{
    struct stat info;

    for (int i = 1; i <= KEPT_MOST; i++) {
        char ending[16];
        char *name;

        (void)snprintf(ending, sizeof ending, ".%d", i);
        name = with_ending(path, ending);
        if (name == NULL || lstat(name, &info) != 0)
            return name;
        free(name);
    }
    return NULL;
}

// Renames what an earlier run that ended early left in `path`, because it was
// paid for. Returns false if another run is writing the file now, or if it
// cannot be kept.
static bool keep_earlier(const char *path, struct err *err)
{
    struct stat info;
    bool there = stat(path, &info) == 0 && S_ISREG(info.st_mode);
    FILE *file = there ? fopen(path, "re") : NULL;
    char *name = NULL;
    bool ok = true;

    if (file == NULL)
        return true;
    if (flock(fileno(file), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        err_set(err, ERR_BUSY,
                "another `promptcc predict` is writing to %s: wait for it, "
                "or choose a different --output",
                FILE_SHOWN(path, 130));
        ok = false;
    } else if (fstat(fileno(file), &info) == 0 && info.st_size > 0) {
        name = free_name(path);
        ok = name != NULL && file_rename(path, name);
        if (ok)
            output_say("the outputs of an earlier run that ended early are now "
                       "in %s\n",
                       name);
        else
            err_set(err, ERR_INPUT,
                    "cannot rename %s to keep what an earlier run wrote: "
                    "move it out of the way",
                    FILE_SHOWN(path, 150));
    }
    free(name);
    (void)fclose(file);
    return ok;
}

static bool open_aside(struct batch *batch, const char *out, mode_t mode,
                       struct err *err)
{
    batch->path = final_path(out);
    batch->aside =
        batch->path == NULL ? NULL : with_ending(batch->path, ".partial");
    if (batch->aside == NULL) {
        err_nomem(err, "a file name");
        return false;
    }
    if (is_input(batch, batch->aside)) {
        err_set(err, ERR_INPUT,
                "%s holds the outputs until the batch is complete, so the "
                "inputs in it would be lost: choose a different --output",
                FILE_SHOWN(batch->aside, 110));
        return false;
    }
    if (!keep_earlier(batch->aside, err))
        return false;
    batch->out = fopen(batch->aside, "we");
    if (batch->out == NULL) {
        err_set(err, ERR_INPUT, "cannot write %s: %s",
                FILE_SHOWN(batch->aside, 150), strerror(errno));
        return false;
    }
    (void)flock(fileno(batch->out), LOCK_EX | LOCK_NB);
    if (mode != 0)
        (void)fchmod(fileno(batch->out), mode & 07777);
    return true;
}

// Opens a pipe or a device.
static FILE *open_through(const char *out, struct err *err)
{
    int fd = file_open_direct(out, err);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

    if (fd >= 0 && file == NULL)
        (void)close(fd);
    return file;
}

static bool open_output(struct batch *batch, const char *out, struct err *err)
{
    struct stat info;

    if (is_input(batch, out)) {
        err_set(err, ERR_INPUT,
                "%s is both input and output, so its inputs would be lost: "
                "write the outputs to another file",
                FILE_SHOWN(batch->in_name, 120));
        return false;
    }
    if (is_standard(out)) {
        batch->out = stdout;
        return true;
    }
    bool there = stat(out, &info) == 0;
    if (there && S_ISDIR(info.st_mode)) {
        err_set(err, ERR_INPUT, "cannot write %s: it is a folder",
                FILE_SHOWN(out, 150));
        return false;
    }
    struct stat link;
    bool dangling = !there && lstat(out, &link) == 0;
    if (!dangling && (!there || S_ISREG(info.st_mode)))
        return open_aside(batch, out, there ? info.st_mode : 0, err);
    batch->out = dangling ? fopen(out, "we") : open_through(out, err);
    if (batch->out == NULL && err->code == ERR_NONE)
        err_set(err, ERR_INPUT, "cannot open %s: %s", FILE_SHOWN(out, 150),
                strerror(errno));
    return batch->out != NULL;
}

// Keeps the first mistake. An `add` of struct column_faults.
static void keep_fault(void *user, const char *key, const char *text)
{
    struct err *err = user;

    (void)key;
    if (err->code == ERR_NONE)
        err_set(err, ERR_INPUT, "%s", text);
}

static bool open_rows(struct batch *batch, const struct program *program,
                      struct err *err)
{
    struct rows_input input = {.name = batch->in_name, .stream = batch->in};
    struct err why = ERR_CLEAR;
    const struct column_faults faults = {keep_fault, &why};

    batch->columns = columns_new_inputs(program, err);
    if (batch->columns == NULL)
        return false;
    input.wanted = columns_wanted(batch->columns, &input.n_wanted);
    batch->rows = rows_open(&input, &why);
    if (batch->rows == NULL) {
        err_set(err, why.code, "%s: %s", FILE_SHOWN(batch->in_name, 110),
                why.text);
        return false;
    }
    if (columns_header(batch->columns, batch->rows, &faults))
        return true;
    err_set(err, ERR_INPUT, "%s:%d: %s", FILE_SHOWN(batch->in_name, 110),
            rows_line(batch->rows), why.text);
    return false;
}

struct batch *batch_open(const struct program *program, const char *in,
                         const char *out, struct err *err)
{
    struct batch *batch = calloc(1, sizeof *batch);

    if (batch == NULL) {
        err_nomem(err, "the inputs");
        return NULL;
    }
    if (open_input(batch, in, err) && open_rows(batch, program, err) &&
        open_output(batch, out, err))
        return batch;
    batch_close(batch, err);
    return NULL;
}

// --- inputs ---

static void take_row(struct batch *batch, json_t **values, struct err *err)
{
    struct err why = ERR_CLEAR;
    const struct column_faults faults = {keep_fault, &why};

    if (!columns_take(batch->columns, batch->rows, &faults, values, err))
        return;
    if (why.code == ERR_NONE)
        return;
    json_decref(*values);
    *values = NULL;
    err_set(err, ERR_INPUT, "%s:%d: %s", FILE_SHOWN(batch->in_name, 110),
            rows_line(batch->rows), why.text);
}

bool batch_next(struct batch *batch, json_t **values, struct err *err)
{
    struct err why = ERR_CLEAR;

    *values = NULL;
    switch (rows_next(batch->rows, &why)) {
    case ROWS_ROW:
        take_row(batch, values, err);
        return true;
    case ROWS_BLANK:
        return true;
    case ROWS_BAD:
        err_set(err, ERR_INPUT, "%s:%d: %s", FILE_SHOWN(batch->in_name, 110),
                rows_line(batch->rows), why.text);
        return true;
    case ROWS_FAILED:
        err_set(&batch->failure, why.code, "%s: %s",
                FILE_SHOWN(batch->in_name, 110), why.text);
        break;
    case ROWS_END:
        break;
    }
    return false;
}

bool batch_is_late(const struct batch *batch)
{
    return rows_would_block(batch->rows);
}

// --- outputs ---

bool batch_write(struct batch *batch, const json_t *document, struct err *err)
{
    struct buf raw = BUF_INIT(TEXT_BYTES);
    struct buf text = BUF_INIT(TEXT_BYTES);

    if (document != NULL)
        json_put(&raw, document);
    buf_putc(&raw, '\n');
    if (!raw.failed)
        plain_put_json(&text, raw.data, raw.len);
    bool ok = buf_ok(&raw, "an output", err) && buf_ok(&text, "an output", err);
    if (ok && (fwrite(text.data, 1, text.len, batch->out) != text.len ||
               fflush(batch->out) != 0)) {
        err_set(err, ERR_IO, "cannot write the outputs: %s", strerror(errno));
        ok = false;
    }
    if (ok) {
        batch->lines++;
        batch->whole += (off_t)text.len;
    }
    buf_release(&raw);
    buf_release(&text);
    return ok;
}

static bool flush(struct batch *batch)
{
    bool ok = fflush(batch->out) == 0;

    if (batch->aside != NULL)
        ok = fsync(fileno(batch->out)) == 0 && ok;
    if (batch->out != stdout)
        ok = fclose(batch->out) == 0 && ok;
    batch->out = NULL;
    return ok;
}

// A full disk may have taken the beginning of the next line.
static void keep_whole_lines(const struct batch *batch)
{
    if (batch->lines == 0) {
        (void)unlink(batch->aside);
        return;
    }
    bool cut = truncate(batch->aside, batch->whole) == 0;
    output_say("the outputs of the first %zu lines of the input are kept in "
               "%s%s; the same command starts over and renames that file\n",
               batch->lines, batch->aside,
               cut ? "" : ", and perhaps part of the next");
}

static void close_output(struct batch *batch, struct err *err)
{
    if (batch->out == NULL)
        return;
    if (!flush(batch) && err->code == ERR_NONE)
        err_set(err, ERR_IO, "cannot write the outputs: %s", strerror(errno));
    if (batch->aside == NULL)
        return;
    if (err->code != ERR_NONE)
        keep_whole_lines(batch);
    else if (!file_rename(batch->aside, batch->path))
        err_set(err, ERR_IO, "cannot rename %s to %s: %s",
                FILE_SHOWN(batch->aside, 90), FILE_SHOWN(batch->path, 80),
                strerror(errno));
}

void batch_close(struct batch *batch, struct err *err)
{
    if (batch == NULL)
        return;
    if (err->code == ERR_NONE && batch->failure.code != ERR_NONE)
        *err = batch->failure;
    close_output(batch, err);
    if (batch->in != NULL && batch->in != stdin)
        (void)fclose(batch->in);
    rows_close(batch->rows);
    columns_free(batch->columns);
    free(batch->path);
    free(batch->aside);
    free(batch);
}
