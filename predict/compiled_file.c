#include "predict/compiled_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/text.h"

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool holds(const char *folder, const char *name)
{
    char *path = file_join(folder, name);
    struct stat info;
    bool there = path != NULL && stat(path, &info) == 0;

    free(path);
    return there;
}

bool compiled_file_is_named(const char *path, struct err *err)
{
    bool folder = is_folder(path);

    if (folder && holds(path, "compiled.json"))
        err_set(err, ERR_INPUT,
                "%s is a folder, not a compiled file: did you mean the one "
                "in it, %s%scompiled.json?",
                FILE_SHOWN(path, 75), FILE_SHOWN(path, 75),
                text_ends_with(path, "/") ? "" : "/");
    else if (folder && !holds(path, "job.yaml"))
        err_set(err, ERR_INPUT,
                "%s is a folder without a job in it: name the compiled "
                "file that `promptcc run` wrote",
                FILE_SHOWN(path, 140));
    else if (folder || text_ends_with(path, ".yaml") ||
             text_ends_with(path, ".yml"))
        err_set(err, ERR_INPUT,
                "%s is a job, not a compiled file: `promptcc run` compiles "
                "it, to compiled.json unless --out says otherwise",
                FILE_SHOWN(path, 130));
    else
        return true;
    return false;
}

struct compiled *compiled_file_read(const char *path, struct err *err)
{
    struct buf text = BUF_INIT(COMPILED_FILE_MAX_BYTES);
    struct compiled *compiled = NULL;

    if (!compiled_file_is_named(path, err))
        return NULL;
    if (file_read(path, &text, err))
        compiled = compiled_read(path, text.data == NULL ? "" : text.data,
                                 text.len, err);
    buf_release(&text);
    if (compiled == NULL)
        return NULL;
    compiled->folder = file_folder(path);
    if (compiled->folder != NULL)
        return compiled;
    err_nomem(err, "a compiled program");
    compiled_free(compiled);
    return NULL;
}
