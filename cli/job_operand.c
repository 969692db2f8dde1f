#include "cli/job_operand.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/jobfile.h"
#include "common/file.h"

bool job_operand_is_path(const char *word)
{
    struct stat info;

    return word != NULL && stat(word, &info) == 0 &&
           (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode));
}

// Returns true for a job file, and for a folder with one.
static bool has_job(const char *word)
{
    struct stat info;
    char *inside;
    bool there;

    if (word == NULL || stat(word, &info) != 0)
        return false;
    if (!S_ISDIR(info.st_mode))
        return S_ISREG(info.st_mode);
    inside = file_join(word, "job.yaml");
    there = inside != NULL && stat(inside, &info) == 0;
    free(inside);
    return there;
}

static char *name_in(const struct options *options, const char *path,
                     struct err *err)
{
    struct jobfile file;
    char *name = NULL;

    if (jobfile_read(&file, options, path, err)) {
        if (file.job != NULL)
            name = strdup(file.job->name);
        if (name == NULL)
            err_set(err, ERR_INPUT,
                    "%s has mistakes, so the name of its job is not known: "
                    "`promptcc check` lists them",
                    FILE_SHOWN(path, 140));
    }
    jobfile_release(&file);
    return name;
}

char *job_operand_name(const struct options *options, const char *word,
                       struct err *err)
{
    char *copy;

    if (has_job(word))
        return name_in(options, word, err);
    copy = strdup(word == NULL ? "" : word);
    if (copy == NULL)
        err_nomem(err, "a job's name");
    return copy;
}
