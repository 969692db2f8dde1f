#include "predict/compiled_file.h"

#include <string.h>
#include <sys/stat.h>

#include "common/file.h"

static bool ends_with(const char *path, const char *ending)
{
    size_t len = strlen(path);
    size_t n = strlen(ending);

    return len >= n && strcmp(path + len - n, ending) == 0;
}

// What is named in place of the file that `run` wrote: its job.
static bool is_job(const char *path)
{
    struct stat info;

    return ends_with(path, ".yaml") || ends_with(path, ".yml") ||
           (stat(path, &info) == 0 && S_ISDIR(info.st_mode));
}

bool compiled_file_is_named(const char *path, struct err *err)
{
    if (!is_job(path))
        return true;
    err_set(err, ERR_INPUT,
            "%.200s is a job, not a compiled file: `promptcc run` makes one of "
            "it, compiled.json if --out does not say otherwise",
            path);
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
