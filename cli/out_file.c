#include "cli/out_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/json.h"
#include "common/text.h"

enum { FILE_BYTES = 64 << 20 };

static const char ENDING[] = ".json", PARTIAL[] = ".partial.json";

// --- what a command may overwrite ---

// Returns the folder of the file; for a symbolic link, the folder of its
// target.
static char *folder_of(const char *path)
{
    char *target = file_target(path);
    char *folder = target == NULL ? NULL : file_folder(target);

    free(target);
    return folder;
}

static bool is_writable(const char *path, const char *option, struct err *err)
{
    char *folder = folder_of(path);
    struct stat info;
    int cause = 0;

    if (folder == NULL) {
        err_nomem(err, "a path");
        return false;
    }
    // A file is replaced, so its folder must be writable; a device is written
    // to directly.
    bool there = stat(path, &info) == 0;
    bool device = there && !S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode);
    if (there && S_ISDIR(info.st_mode))
        cause = EISDIR;
    else if (access(device ? path : folder, W_OK) != 0)
        cause = errno;
    free(folder);
    if (cause != 0)
        err_set(err, ERR_INPUT,
                "cannot write %s: %s; name another place with %s",
                FILE_SHOWN(path, 120), strerror(cause), option);
    return cause == 0;
}

static bool spares(const char *path, const char *option, const char *other,
                   struct err *err)
{
    if (other == NULL || !file_is_same(path, other))
        return true;
    err_set(err, ERR_INPUT,
            "%s is read by this same command and would be lost; name "
            "another place with %s",
            FILE_SHOWN(path, 120), option);
    return false;
}

// A store also consists of its log, the log's index and its lock.
static bool spares_store(const char *path, const char *option,
                         const char *store, struct err *err)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    bool ok = true;

    for (size_t i = 0; ok && i < sizeof endings / sizeof endings[0]; i++) {
        struct buf name = BUF_INIT(PATH_MAX);

        buf_printf(&name, "%s%s", store, endings[i]);
        ok = buf_ok(&name, "a path", err) &&
             spares(path, option, name.data, err);
        buf_release(&name);
    }
    return ok;
}

static bool spares_files(const char *path, const char *option,
                         const char *folder, const struct bundle *bundle,
                         struct err *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < bundle->n_files; i++) {
        char *file = file_join(folder, bundle->files[i].name);

        ok = file != NULL && spares(path, option, file, err);
        if (file == NULL)
            err_nomem(err, "a path");
        free(file);
    }
    return ok;
}

// A job from a store says where it was run from. It may have been moved or
// copied since; then its files are next to the store.
static bool spares_job(const char *path, const char *option,
                       const struct out_file_reads *reads, struct err *err)
{
    const struct bundle *bundle = reads->bundle;
    char *beside =
        reads->store == NULL ? strdup(".") : file_folder(reads->store);
    bool ok = false;

    if (beside == NULL)
        err_nomem(err, "a path");
    else
        ok = spares(path, option, bundle->path, err) &&
             spares_files(path, option, beside, bundle, err) &&
             (bundle->folder == NULL ||
              spares_files(path, option, bundle->folder, bundle, err));
    free(beside);
    return ok;
}

// Refuses "-", which elsewhere on a command line means standard output.
static bool is_name(const char *path, const char *option, struct err *err)
{
    if (strcmp(path, "-") != 0)
        return true;
    err_set(err, ERR_INPUT,
            "%s takes the name of a file, which - is not; standard output is "
            "/dev/stdout",
            option);
    return false;
}

bool out_file_check(const char *path, const char *option,
                    const struct out_file_reads *reads, struct err *err)
{
    bool ok = path == NULL ||
              (is_name(path, option, err) && is_writable(path, option, err) &&
               (reads->store == NULL ||
                spares_store(path, option, reads->store, err)));

    for (size_t i = 0; ok && path != NULL && i < reads->n_others; i++)
        ok = spares(path, option, reads->others[i], err);
    return ok && (path == NULL || reads->bundle == NULL ||
                  spares_job(path, option, reads, err));
}

// Returns true if both paths name one file that does not exist yet.
static bool is_one_name(const char *a, const char *b)
{
    const char *slash_a = strrchr(a, '/'), *slash_b = strrchr(b, '/');
    char *folder_a = file_folder(a), *folder_b = file_folder(b);
    struct stat first, second;
    bool same = folder_a != NULL && folder_b != NULL &&
                strcmp(slash_a == NULL ? a : slash_a + 1,
                       slash_b == NULL ? b : slash_b + 1) == 0 &&
                stat(a, &first) != 0 && stat(folder_a, &first) == 0 &&
                stat(folder_b, &second) == 0 && first.st_dev == second.st_dev &&
                first.st_ino == second.st_ino;

    free(folder_a);
    free(folder_b);
    return same;
}

bool out_file_check_distinct(const char *path, const char *option,
                             const char *other, const char *other_option,
                             struct err *err)
{
    if (path == NULL || other == NULL ||
        (!file_is_same(path, other) && !is_one_name(path, other)))
        return true;
    err_set(err, ERR_INPUT,
            "%s and %s both name %s, and one would overwrite the other: "
            "name two files",
            option, other_option, FILE_SHOWN(path, 120));
    return false;
}

bool out_file_check_default(const char *path, struct err *err)
{
    struct buf text = BUF_INIT(FILE_BYTES);
    struct err unread = ERR_CLEAR;
    struct stat info;
    bool ours =
        stat(path, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0;

    // Whatever we write by default says so.
    if (!ours && file_read(path, &text, &unread) && text.data != NULL)
        ours = strstr(text.data, "promptcc") != NULL;
    buf_release(&text);
    if (!ours)
        err_set(err, ERR_INPUT,
                "%s exists, and promptcc did not write it: name another "
                "file with --out, or the same one to replace it",
                FILE_SHOWN(path, 120));
    return ours;
}

bool out_file_is_standard(const char *path)
{
    struct stat file, standard;

    return stat(path, &file) == 0 && fstat(STDOUT_FILENO, &standard) == 0 &&
           file.st_dev == standard.st_dev && file.st_ino == standard.st_ino;
}

// --- where a compiled file goes ---

// What a compiled file says about itself; `job` is "" for any other file.
struct claim {
    char job[320];
    double score; // below 0 if it has none
    bool simulated;
};

static struct claim read_claim(const char *text, size_t len)
{
    struct err ignored = ERR_CLEAR;
    json_t *json = json_parse(text, len, FILE_BYTES, &ignored);
    const json_t *ours =
        json_object_get(json_object_get(json, "metadata"), "promptcc");
    const json_t *compiled =
        json_object_get(json_object_get(ours, "scores"), "compiled");
    struct claim claim = {
        .score = json_get_number(compiled, "score", -1),
        .simulated = json_get_bool(ours, "simulated", false),
    };

    (void)text_print(claim.job, sizeof claim.job, "%s",
                     json_get_text(ours, "job", ""));
    json_decref(json);
    return claim;
}

// Writes to `why` a sentence that says why the file at `path`, which claims
// `old`, should be kept, or "" if it need not be.
static void compare(const char *path, const struct claim *old,
                    const struct claim *own, enum out_file_end end,
                    char why[static OUT_FILE_WHY_BYTES])
{
    const char *name = FILE_SHOWN(path, 120);
    bool same_job = strcmp(old->job, own->job) == 0;

    why[0] = '\0';
    if (old->score >= 0 && !old->simulated && own->simulated)
        (void)text_print(why, OUT_FILE_WHY_BYTES,
                         "%s is kept: it was compiled with a real model, "
                         "and this run was simulated",
                         name);
    else if (end == OUT_FILE_FINISHED ||
             (old->simulated && !own->simulated && own->score >= 0))
        return;
    else if (!same_job)
        (void)text_print(
            why, OUT_FILE_WHY_BYTES, "%s belongs to %s%.100s and is kept", name,
            old->job[0] == '\0' ? "another program" : "the job ", old->job);
    else if (old->score >= 0 && own->score < 0)
        (void)text_print(why, OUT_FILE_WHY_BYTES,
                         "%s is kept: it scores %.1f %%, and this run has "
                         "no score",
                         name, old->score * 100);
    else if (old->score >= own->score)
        (void)text_print(why, OUT_FILE_WHY_BYTES,
                         "%s scores %.1f %% against %.1f %% and is kept", name,
                         old->score * 100, own->score * 100);
}

// Sets out->why to a sentence that says why the file at `path` should be kept,
// or to "" if it need not be. A finished run replaces a file that cannot be
// read.
static bool find_reason(const char *path, const char *text,
                        enum out_file_end end, struct out_file *out,
                        struct err *err)
{
    struct buf there = BUF_INIT(FILE_BYTES);
    struct err unread = ERR_CLEAR;
    struct claim old, own;
    struct stat info;
    bool ok = true;

    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return true; // there is no file
    if (!file_read(path, &there, &unread)) {
        ok = end == OUT_FILE_FINISHED;
        if (!ok)
            *err = unread;
    } else if (there.len != strlen(text) ||
               memcmp(there.data, text, there.len) != 0) {
        old = read_claim(there.data == NULL ? "" : there.data, there.len);
        own = read_claim(text, strlen(text));
        compare(path, &old, &own, end, out->why);
    }
    buf_release(&there);
    return ok;
}

static char *partial_of(const char *path)
{
    size_t len = strlen(path), ending = sizeof ENDING - 1;
    char *out = malloc(len + sizeof PARTIAL);

    if (out == NULL)
        return NULL;
    if (len > ending && strcmp(path + len - ending, ENDING) == 0)
        len -= ending;
    memcpy(out, path, len);
    memcpy(out + len, PARTIAL, sizeof PARTIAL);
    return out;
}

bool out_file_place(const char *path, const char *text, enum out_file_end end,
                    struct out_file *out, struct err *err)
{
    *out = (struct out_file){0};
    if (!find_reason(path, text, end, out, err))
        return false;
    out->path = out->why[0] == '\0' ? strdup(path) : partial_of(path);
    if (out->path == NULL)
        err_nomem(err, "a path");
    return out->path != NULL;
}

void out_file_release(struct out_file *file)
{
    free(file->path);
}
