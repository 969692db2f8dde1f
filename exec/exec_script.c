#include "exec/exec_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"

enum { HEAD_BYTES = 256 }; // as much as Linux reads of a first line

static bool is_program(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
           access(path, X_OK) == 0;
}

char *exec_search_path(const char *name, bool *nomem)
{
    const char *at = getenv("PATH");

    *nomem = false;
    for (at = at != NULL ? at : "/usr/bin:/bin"; *at != '\0';) {
        size_t len = strcspn(at, ":");
        size_t size = len + strlen(name) + 2;
        char *path = malloc(size);
        *nomem = path == NULL;
        if (path == NULL)
            return NULL;
        (void)snprintf(path, size, "%.*s/%s", (int)len, at, name);
        if (len > 0 && is_program(path))
            return path;
        free(path);
        at += len + (at[len] == ':' ? 1 : 0);
    }
    return NULL;
}

// Reads the first line of a text, cut at HEAD_BYTES; returns false if the file
// is not text.
static bool read_first_line(const char *path, char line[HEAD_BYTES])
{
    FILE *file = fopen(path, "re");
    size_t n = 0;

    if (file == NULL)
        return false;
    n = fread(line, 1, HEAD_BYTES - 1, file);
    (void)fclose(file);
    line[n] = '\0';
    if (memchr(line, '\0', n) != NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

// Returns true if the NAME of "#!/usr/bin/env NAME" exists. Lines with options
// are not checked.
static bool finds_env(const char *rest)
{
    char name[HEAD_BYTES];
    bool nomem = false;

    if (sscanf(rest, "%255s", name) != 1 || name[0] == '-' ||
        strchr(name, '=') != NULL || strchr(name, '/') != NULL)
        return true;
    char *path = exec_search_path(name, &nomem);
    bool found = path != NULL || nomem;

    free(path);
    return found;
}

bool exec_script_check(const char *path, const char *what, const char *name,
                       struct err *err)
{
    char line[HEAD_BYTES];
    char interpreter[HEAD_BYTES] = "";
    int used = 0;

    if (!read_first_line(path, line))
        return true;
    if (line[0] != '#' || line[1] != '!') {
        err_set(err, ERR_INPUT,
                "%s `%.80s` has no `#!` line, so nothing says what runs it: "
                "write its interpreter before it, as in [python3, x.py]",
                what, name);
        return false;
    }
    if (strchr(line, '\r') != NULL) {
        err_set(err, ERR_INPUT,
                "the lines of %s `%.80s` end with CR LF, as on Windows, and so "
                "does the name of its interpreter: save it with LF",
                what, name);
        return false;
    }
    (void)sscanf(line + 2, " %255s%n", interpreter, &used);
    bool env = strcmp(interpreter, "/usr/bin/env") == 0;
    if (is_program(interpreter) && (!env || finds_env(line + 2 + used)))
        return true;
    err_set(err, ERR_INPUT,
            "%s `%.80s` names an interpreter that does not exist: `%.80s`",
            what, name, line);
    return false;
}
