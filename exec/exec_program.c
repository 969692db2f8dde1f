#include "exec/exec_program.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "exec/exec_script.h"

static bool is_file(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

// Returns true if the script that an interpreter should run exists: argv[1], if
// it looks like the name of a file of the job. We check because each
// interpreter has its own message for a missing file.
static bool has_script(const char *folder, const struct exec_command *command,
                       struct err *err)
{
    static const char *const endings[] = {".py", ".sh", ".js", ".rb",
                                          ".pl", ".R",  ".jl", ".lua"};
    const char *name = command->argv[1];
    const char *dot = name == NULL ? NULL : strrchr(name, '.');
    bool found = true;

    if (dot == NULL || name[0] == '-' || name[0] == '/')
        return true;
    for (size_t i = 0; found && i < sizeof endings / sizeof *endings; i++) {
        char *path =
            strcmp(dot, endings[i]) == 0 ? file_join(folder, name) : NULL;

        found = path == NULL || is_file(path);
        free(path);
    }
    if (!found)
        err_set(err, ERR_INPUT,
                "%s runs `%.80s`, and there is no such file beside the job: "
                "put it there, or correct its name",
                command->what, name);
    return found;
}

// Returns path, a file beside the job, if it can be run; frees it if not.
static char *check_file(char *path, const struct exec_command *command,
                        struct err *err)
{
    const char *name = command->argv[0];
    bool executable = access(path, X_OK) == 0;

    if (executable && exec_script_check(path, command->what, name, err))
        return path;
    if (!executable)
        err_set(err, ERR_INPUT,
                "%s `%.80s` is not executable: run chmod +x on it, or "
                "write its interpreter before it",
                command->what, name);
    free(path);
    return NULL;
}

static char *find_in_path(const char *folder,
                          const struct exec_command *command, struct err *err)
{
    const char *name = command->argv[0];
    bool nomem = false;
    char *path =
        strchr(name, '/') == NULL ? exec_search_path(name, &nomem) : NULL;

    if (nomem)
        err_nomem(err, command->what);
    else if (path == NULL)
        err_set(err, ERR_INPUT,
                "%s `%.80s` is neither a file beside the job nor a program "
                "in PATH",
                command->what, name);
    if (path == NULL || has_script(folder, command, err))
        return path;
    free(path);
    return NULL;
}

char *exec_program_find(const char *folder, const struct exec_command *command,
                        struct err *err)
{
    char *path = file_join(folder, command->argv[0]);

    if (path == NULL) {
        err_nomem(err, command->what);
        return NULL;
    }
    if (is_file(path))
        return check_file(path, command, err);
    free(path);
    return find_in_path(folder, command, err);
}
