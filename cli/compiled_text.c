#include "cli/compiled_text.h"

#include <string.h>

#include "cli/history_file.h"
#include "common/file.h"
#include "common/json.h"

bool compiled_text_is_file(const char *name)
{
    size_t len = name == NULL ? 0 : strlen(name);

    return len > 5 && strcmp(name + len - 5, ".json") == 0;
}

bool compiled_text_read(const struct options *options, const char *name,
                        struct buf *out, struct err *err)
{
    json_t *job;
    const char *text;
    bool ok;

    if (compiled_text_is_file(name))
        return file_read(name, out, err);
    job = history_ask(options, "export", name, NULL, err);
    text = json_get_text(job, "compiled", "");
    ok = job != NULL && text[0] != '\0';
    if (ok)
        buf_puts(out, text);
    else if (job != NULL &&
             strcmp(json_get_text(job, "state", ""), "done") == 0)
        err_set(err, ERR_INPUT,
                "%.120s is an evaluation, which has no compiled file: name a "
                "job that `promptcc run` optimized",
                json_get_text(job, "job", ""));
    else if (job != NULL)
        err_set(err, ERR_INPUT,
                "the job %.120s has no compiled file yet: it is %.20s",
                json_get_text(job, "job", ""),
                json_get_text(job, "state", "not done"));
    json_decref(job);
    return ok && buf_ok(out, "the compiled file", err);
}
