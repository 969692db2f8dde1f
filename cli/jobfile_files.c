#include "cli/jobfile_files.h"

#include <stdlib.h>
#include <string.h>

#include "common/file.h"

enum { NAME_TRIES = 8 };

char *jobfile_beside(const char *path, const char *name)
{
    char *folder = file_folder(path);
    char *joined = folder == NULL ? NULL : file_join(folder, name);

    free(folder);
    return joined;
}

char *jobfile_given_or(const char *given, const char *path, const char *name)
{
    return given != NULL ? strdup(given) : jobfile_beside(path, name);
}

void jobfile_add_programs(struct jobfile *file)
{
    const struct user_command *commands[JOB_MAX_COMMANDS];
    size_t n = job_commands(file->job, commands);

    for (size_t c = 0; c < n; c++)
        for (size_t w = 0; commands[c]->argv[w] != NULL; w++) {
            struct err ignored = ERR_CLEAR; // a word that is not a file

            (void)bundle_get(file->bundle, commands[c]->argv[w], &ignored);
        }
}

static const struct bundle_file *find_file(const struct bundle *bundle,
                                           const char *name)
{
    for (size_t i = 0; i < bundle->n_files; i++)
        if (strcmp(bundle->files[i].name, name) == 0)
            return &bundle->files[i];
    return NULL;
}

// Returns the path itself, or "./" and the path if the job has another file of
// that name.
static const char *free_name(struct jobfile *file, const char *path)
{
    const char *name = path;

    for (int i = 0; i < NAME_TRIES && name != NULL; i++) {
        if (find_file(file->bundle, name) == NULL)
            return name;
        name = arena_printf(&file->arena, "./%s", name);
    }
    return name;
}

static bool add_bytes(struct jobfile *file, const char *path,
                      const struct buf *data, const char **name,
                      struct err *err)
{
    *name = free_name(file, path);
    if (*name != NULL)
        return bundle_add(file->bundle, *name,
                          data->data == NULL ? "" : data->data, data->len, err);
    err_nomem(err, "a file name");
    return false;
}

bool jobfile_add(struct jobfile *file, const char *path, const char **name,
                 struct err *err)
{
    struct buf data = BUF_INIT(BUNDLE_MAX_BYTES);
    bool ok = path == NULL || (file_read(path, &data, err) &&
                               add_bytes(file, path, &data, name, err));

    buf_release(&data);
    return ok;
}

bool jobfile_add_compiled(struct jobfile *file, const char *path,
                          const char **name, struct err *err)
{
    return path == NULL || add_bytes(file, path, &file->compiled, name, err);
}
