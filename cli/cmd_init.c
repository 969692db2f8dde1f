#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/shell_word.h"
#include "cli/templates.h"
#include "common/file.h"
#include "common/text.h"

enum { MAX_TEMPLATES = 16, TEXT_BYTES = 8192 };

// The names, each once.
static size_t list_names(const char **out)
{
    size_t n = 0;

    for (size_t i = 0; i < n_template_files && n < MAX_TEMPLATES; i++)
        if (n == 0 || strcmp(out[n - 1], template_files[i].template_name) != 0)
            out[n++] = template_files[i].template_name;
    return n;
}

static bool check_name(const char *name, struct err *err)
{
    const char *names[MAX_TEMPLATES];
    struct buf list = BUF_INIT(200);
    size_t n = list_names(names);
    bool found = false;

    for (size_t i = 0; i < n; i++) {
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
        found = found || strcmp(names[i], name) == 0;
    }
    if (!found)
        err_set(err, ERR_INPUT, "there is no template `%.40s`; choose among %s",
                name, list.data == NULL ? "none" : list.data);
    buf_release(&list);
    return found;
}

static bool make_folder(const char *folder, struct err *err)
{
    if (mkdir(folder, 0777) == 0 || errno == EEXIST)
        return true;
    err_set(err, ERR_INPUT, "cannot make the folder %.150s: %s", folder,
            strerror(errno));
    return false;
}

// Calls fn for every file of the template, with its path.
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
            "%.150s exists already: name another folder, as in `promptcc "
            "init my-job`",
            path);
    return false;
}

static bool write_one(const struct template_file *file, const char *path,
                      struct err *err)
{
    return file_write(path, file->data, file->len, err);
}

static int run(const struct options *options)
{
    const char *folder = options->n_operands == 0 ? "." : options->operands[0];
    const char *name = option_text(options, OPT_TEMPLATE);
    struct buf text = BUF_INIT(TEXT_BYTES);
    struct buf word = BUF_INIT(TEXT_BYTES);
    struct err err = ERR_CLEAR;
    int status;

    if (!check_name(name, &err) || !make_folder(folder, &err) ||
        !for_files(name, folder, is_free, &err) ||
        !for_files(name, folder, write_one, &err))
        return output_error(options, &err);
    shell_word_show(folder, &word);
    const char *shown = word.len > 0 ? word.data : "";
    buf_printf(&text,
               "wrote a job to %s\n\n"
               "  promptcc check %s            is all of it right?\n"
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
