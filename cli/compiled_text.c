#include "cli/compiled_text.h"

#include <string.h>
#include <sys/stat.h>

#include "cli/history_file.h"
#include "common/file.h"
#include "common/json.h"
#include "predict/compiled_file.h"
#include "program/run/compiled.h"

bool compiled_text_is_file(const char *name)
{
    size_t len = name == NULL ? 0 : strlen(name);
    struct stat info;

    if (len > 5 && strcmp(name + len - 5, ".json") == 0)
        return true;
    return len > 0 && stat(name, &info) == 0 && S_ISFIFO(info.st_mode);
}

// Reads a file and gives its text.
static bool read_file(const char *name, struct buf *out, struct err *err)
{
    struct buf data = BUF_INIT(COMPILED_FILE_MAX_BYTES);
    struct buf spare = BUF_INIT(COMPILED_FILE_MAX_BYTES);
    struct err why = ERR_CLEAR;
    const char *text = NULL;
    size_t len = 0;
    bool ok = file_read(name, &data, err);

    if (ok && !compiled_decode(data.data == NULL ? "" : data.data, data.len,
                               &spare, &text, &len, &why)) {
        err_set(err, why.code, "%s: %s", FILE_SHOWN(name, 150), why.text);
        ok = false;
    }
    if (ok)
        buf_append(out, text, len);
    buf_release(&data);
    buf_release(&spare);
    return ok && buf_ok(out, "the compiled file", err);
}

void compiled_text_explain_none(const json_t *job, struct err *err)
{
    const char *id = json_get_text(job, "job", "");
    const char *state = json_get_text(job, "state", "not done");

    if (strcmp(state, "done") == 0)
        err_set(err, ERR_INPUT,
                "%.120s is an evaluation, which has no compiled file: name a "
                "job that `promptcc run` optimized",
                id);
    else
        err_set(err, ERR_INPUT,
                "the job %.110s has no compiled file yet: it is %.20s; the "
                "dashboard of its coordinator exports the best so far, if "
                "there is one",
                id, state);
}

bool compiled_text_read(const struct options *options, const char *name,
                        struct buf *out, struct err *err)
{
    json_t *job;
    const char *text;
    bool ok;

    if (compiled_text_is_file(name))
        return read_file(name, out, err);
    job = history_ask(options, "export", name, NULL, err);
    text = json_get_text(job, "compiled", "");
    ok = job != NULL && text[0] != '\0';
    if (ok)
        buf_puts(out, text);
    else if (job != NULL)
        compiled_text_explain_none(job, err);
    json_decref(job);
    return ok && buf_ok(out, "the compiled file", err);
}
