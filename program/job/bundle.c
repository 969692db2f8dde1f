#include "program/job/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

struct bundle *bundle_new(const char *path, struct err *err)
{
    struct bundle *bundle = calloc(1, sizeof *bundle);

    if (bundle != NULL)
        bundle->path = strdup(path);
    if (bundle == NULL || bundle->path == NULL) {
        free(bundle);
        err_nomem(err, "a job's files");
        return NULL;
    }
    return bundle;
}

void bundle_free(struct bundle *bundle)
{
    if (bundle == NULL)
        return;
    for (size_t i = 0; i < bundle->n_files; i++) {
        free(bundle->files[i].name);
        free(bundle->files[i].data);
    }
    free(bundle->folder);
    free(bundle->path);
    free(bundle);
}

// Returns true for a name that could lead out of a bundle. Such names are
// allowed only on the machine where the files are.
static bool leads_out(const char *name)
{
    if (name[0] == '/')
        return true;
    while (name != NULL) {
        if (strncmp(name, "..", 2) == 0 && (name[2] == '/' || name[2] == '\0'))
            return true;
        name = strchr(name, '/');
        name = name == NULL ? NULL : name + 1;
    }
    return false;
}

static bool check_room(const struct bundle *bundle, const char *name,
                       size_t len, struct err *err)
{
    if (name[0] == '\0') {
        err_set(err, ERR_INPUT, "a file of the job has an empty name");
        return false;
    }
    if (bundle->folder == NULL && leads_out(name)) {
        err_set(err, ERR_INPUT,
                "the file %s is outside the job's folder: move it there", name);
        return false;
    }
    if (bundle->n_files == BUNDLE_MAX_FILES) {
        err_set(err, ERR_LIMIT, "the job names more than %d files",
                BUNDLE_MAX_FILES);
        return false;
    }
    if (len > BUNDLE_MAX_BYTES - bundle->bytes) {
        err_set(err, ERR_LIMIT,
                "with %s, the job's files add up to more than %d MiB", name,
                BUNDLE_MAX_BYTES >> 20);
        return false;
    }
    return true;
}

const struct bundle_file *bundle_find(const struct bundle *bundle,
                                      const char *name)
{
    for (size_t i = 0; i < bundle->n_files; i++) {
        if (strcmp(bundle->files[i].name, name) == 0)
            return &bundle->files[i];
    }
    return NULL;
}

// Takes data, which has len bytes and a NUL, if it succeeds.
static bool take_file(struct bundle *bundle, const char *name, char *data,
                      size_t len, struct err *err)
{
    char *copy = strdup(name);

    if (copy == NULL) {
        err_nomem(err, "a file of the job");
        return false;
    }
    bundle->files[bundle->n_files++] =
        (struct bundle_file){.name = copy, .data = data, .len = len};
    bundle->bytes += len;
    return true;
}

// Skips "./" and slashes at the beginning, which change nothing.
static const char *skip_redundant(const char *name)
{
    for (;;) {
        if (name[0] == '/')
            name++;
        else if (name[0] == '.' && name[1] == '/')
            name += 2;
        else
            return name;
    }
}

// Returns true if two names lead to the same file of a folder, as m.sh and
// ./m.sh do.
static bool is_same_place(const char *a, const char *b)
{
    for (;;) {
        a = skip_redundant(a);
        b = skip_redundant(b);
        size_t len = strcspn(a, "/");
        if (len != strcspn(b, "/") || strncmp(a, b, len) != 0)
            return false;
        if (a[len] == '\0' || b[len] == '\0')
            return a[len] == b[len];
        a += len;
        b += len;
    }
}

// A job may refer to one file by two names. If the bytes under them differed,
// what identifies the job would not be what runs.
static bool check_names(const struct bundle *bundle, const char *name,
                        const void *data, size_t len, struct err *err)
{
    for (size_t i = 0; i < bundle->n_files; i++) {
        const struct bundle_file *file = &bundle->files[i];

        if (!is_same_place(file->name, name))
            continue;
        if (strcmp(file->name, name) != 0 && file->len == len &&
            (len == 0 || memcmp(file->data, data, len) == 0))
            continue;
        err_set(err, ERR_INPUT, "the file %s appears twice", name);
        return false;
    }
    return true;
}

bool bundle_add(struct bundle *bundle, const char *name, const void *data,
                size_t len, struct err *err)
{
    if (!check_room(bundle, name, len, err) ||
        !check_names(bundle, name, data, len, err))
        return false;
    char *copy = malloc(len + 1);
    if (copy == NULL) {
        err_nomem(err, "a file of the job");
        return false;
    }
    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    if (take_file(bundle, name, copy, len, err))
        return true;
    free(copy);
    return false;
}

struct bundle *bundle_copy(const struct bundle *bundle, struct err *err)
{
    struct bundle *copy = bundle_new(bundle->path, err);
    bool ok = copy != NULL;

    if (ok && bundle->folder != NULL) {
        copy->folder = strdup(bundle->folder);
        ok = copy->folder != NULL;
        if (!ok)
            err_nomem(err, "a job's files");
    }
    for (size_t i = 0; ok && i < bundle->n_files; i++)
        ok = bundle_add(copy, bundle->files[i].name, bundle->files[i].data,
                        bundle->files[i].len, err);
    if (ok)
        return copy;
    bundle_free(copy);
    return NULL;
}

void bundle_drop(struct bundle *bundle, const char *name)
{
    for (size_t i = 0; i < bundle->n_files; i++) {
        struct bundle_file *file = &bundle->files[i];

        if (strcmp(file->name, name) != 0)
            continue;
        bundle->bytes -= file->len;
        free(file->name);
        free(file->data);
        bundle->n_files--;
        memmove(file, file + 1, (bundle->n_files - i) * sizeof *file);
        return;
    }
}

// Adds a file from the contents of buf, which it takes.
static bool take_buf(struct bundle *bundle, const char *name, struct buf *buf,
                     struct err *err)
{
    size_t len = buf->len;
    char *data = NULL;

    if (!check_room(bundle, name, len, err)) {
        buf_release(buf);
        return false;
    }
    data = buf_take(buf);
    if (data == NULL) {
        err_nomem(err, "a file of the job");
        return false;
    }
    if (take_file(bundle, name, data, len, err))
        return true;
    free(data);
    return false;
}

struct bundle *bundle_open(const char *path, struct err *err)
{
    struct bundle *bundle = bundle_new(path, err);
    struct buf buf = BUF_INIT(BUNDLE_MAX_BYTES);

    if (bundle == NULL)
        return NULL;
    bundle->folder = file_folder(path);
    if (bundle->folder == NULL) {
        err_nomem(err, "a job's files");
        bundle_free(bundle);
        return NULL;
    }
    // The user names the job file, so it may be a link or a pipe.
    if (!file_read(path, &buf, err) ||
        !take_buf(bundle, base_name(path), &buf, err)) {
        buf_release(&buf);
        bundle_free(bundle);
        return NULL;
    }
    return bundle;
}

const struct bundle_file *bundle_get(struct bundle *bundle, const char *name,
                                     struct err *err)
{
    const struct bundle_file *file = bundle_find(bundle, name);
    struct buf buf = BUF_INIT(BUNDLE_MAX_BYTES);

    if (file != NULL)
        return file;
    if (bundle->folder == NULL) {
        err_set(err, ERR_INPUT, "the job was sent without the file %s", name);
        return NULL;
    }
    if (!file_read_below(bundle->folder, name, &buf, err)) {
        buf_release(&buf);
        return NULL;
    }
    return take_buf(bundle, name, &buf, err)
               ? &bundle->files[bundle->n_files - 1]
               : NULL;
}

// --- folders ---

static bool has_files_in(const struct bundle *bundle, const char *folder)
{
    size_t len = strlen(folder);

    for (size_t i = 0; i < bundle->n_files; i++)
        if (strncmp(bundle->files[i].name, folder, len) == 0 &&
            bundle->files[i].name[len] == '/')
            return true;
    return false;
}

// Gets a file in folder, unless it is a folder itself.
static bool get_entry(struct bundle *bundle, const char *folder,
                      const char *entry, struct err *err)
{
    struct err why = ERR_CLEAR;
    char *name = file_join(folder, entry);
    char *path = name == NULL ? NULL : file_join(bundle->folder, name);
    struct stat status;
    bool ok = path != NULL;

    if (!ok)
        err_nomem(&why, "a file name");
    else if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
        ok = bundle_get(bundle, name, &why) != NULL;
    if (!ok)
        *err = why;
    free(path);
    free(name);
    return ok;
}

static bool get_entries(struct bundle *bundle, const char *folder, DIR *dir,
                        struct err *err)
{
    struct dirent *entry;

    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' &&
            !get_entry(bundle, folder, entry->d_name, err))
            return false;
    return true;
}

bool bundle_get_all(struct bundle *bundle, const char *name, struct err *err)
{
    char *path = NULL;
    DIR *dir = NULL;
    bool ok;

    if (bundle->folder == NULL && has_files_in(bundle, name))
        return true;
    if (bundle->folder == NULL)
        return bundle_get(bundle, name, err) != NULL;
    path = file_join(bundle->folder, name);
    if (path == NULL) {
        err_nomem(err, "a file name");
        return false;
    }
    // A folder elsewhere is not part of the job; bundle_get reports that.
    dir = leads_out(name) ? NULL : opendir(path);
    ok = dir == NULL ? bundle_get(bundle, name, err) != NULL
                     : get_entries(bundle, name, dir, err);
    if (dir != NULL)
        (void)closedir(dir);
    free(path);
    return ok;
}

// Creates the folders on the path of a file's name.
static bool make_folders(const char *folder, const char *name, struct err *err)
{
    for (const char *slash = strchr(name, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        char path[4096];

        snprintf(path, sizeof path, "%s/%.*s", folder, (int)(slash - name),
                 name);
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            err_set(err, ERR_IO, "cannot make the folder %s: %s",
                    FILE_SHOWN(path, 150), strerror(errno));
            return false;
        }
    }
    return true;
}

bool bundle_unpack(const struct bundle *bundle, const char *folder,
                   struct err *err)
{
    for (size_t i = 0; i < bundle->n_files; i++) {
        const struct bundle_file *file = &bundle->files[i];
        char *path = file_join(folder, file->name);
        bool ok = path != NULL && make_folders(folder, file->name, err) &&
                  file_write(path, file->data, file->len, err);

        if (path == NULL)
            err_nomem(err, "a file name");
        else if (ok && chmod(path, 0700) != 0)
            ok = false;
        free(path);
        if (!ok)
            return false;
    }
    return true;
}
