#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/templates.h"
#include "common/file.h"
#include "common/shell_word.h"
#include "common/text.h"

enum { TEXT_BYTES = 64 * 1024 };

// *made says whether it is a new one.
static bool make_folder(const char *folder, bool *made, struct err *err)
{
    struct stat info;
    int cause;

    *made = mkdir(folder, 0777) == 0;
    cause = errno;
    if (*made || (stat(folder, &info) == 0 && S_ISDIR(info.st_mode)))
        return true;
    err_set(err, ERR_INPUT, "cannot make the folder %s: %s",
            FILE_SHOWN(folder, 150), strerror(cause));
    return false;
}

// Calls `fn` for every file of the template, with its path.
static bool for_files(const char *name, const char *folder,
                      bool (*fn)(const struct template_file *file,
                                 const char *path, struct err *err),
                      struct err *err)
{
    for (size_t i = 0; i < n_template_files; i++) {
        const struct template_file *file = &template_files[i];
        char *path;
        bool ok;

        if (strcmp(file->template_name, name) != 0)
            continue;
        path = file_join(folder, file->name);
        if (path == NULL)
            err_nomem(err, "a path");
        ok = path != NULL && fn(file, path, err);
        free(path);
        if (!ok)
            return false;
    }
    return true;
}

static bool is_free(const struct template_file *file, const char *path,
                    struct err *err)
{
    struct stat info;

    (void)file;
    if (stat(path, &info) != 0)
        return true;
    err_set(err, ERR_INPUT,
            "%s already exists: name another folder, as in `promptcc init "
            "my-job`",
            FILE_SHOWN(path, 150));
    return false;
}

static bool write_one(const struct template_file *file, const char *path,
                      struct err *err)
{
    return file_write(path, file->data, file->len, err);
}

static bool remove_one(const struct template_file *file, const char *path,
                       struct err *err)
{
    (void)file;
    (void)err;
    (void)unlink(path);
    return true;
}

// Writes all files or none, so that the same command can be repeated.
static bool write_job(const char *name, const char *folder, struct err *err)
{
    struct err ignored = ERR_CLEAR;
    bool made = false, wrote = false;

    if (!make_folder(folder, &made, err))
        return false;
    if (for_files(name, folder, is_free, err)) {
        wrote = for_files(name, folder, write_one, err);
        if (!wrote)
            (void)for_files(name, folder, remove_one, &ignored);
    }
    if (!wrote && made)
        (void)rmdir(folder);
    return wrote;
}

static int run(const struct options *options)
{
    const char *folder = options->n_operands == 0 ? "." : options->operands[0];
    const char *name = option_text(options, OPT_TEMPLATE);
    struct buf text = BUF_INIT(TEXT_BYTES);
    struct buf word = BUF_INIT(TEXT_BYTES);
    struct err err = ERR_CLEAR;
    int status;

    if (!write_job(name, folder, &err))
        return output_error(options, &err);
    shell_word_show(folder, &word);
    const char *shown = word.len > 0 ? word.data : "";
    buf_printf(&text,
               "wrote a job to %s\n\n"
               "  promptcc check %s            is everything right?\n"
               "  promptcc run %s --simulate   try it without a model\n"
               "  promptcc run %s              on your Ollama\n",
               shown, shown, shown, shown);
    buf_release(&word);
    status = output_text(&text);
    buf_release(&text);
    return status;
}

const struct command_entry cmd_init = {
    .name = "init",
    .usage = "[DIR]",
    .summary = "writes a job folder to start from",
    .about = "It never overwrites a file.",
    .example = "promptcc init my-job --template customer_care",
    .options = OPTION_BIT(OPT_TEMPLATE),
    .max_operands = 1,
    .run = run,
};
