#include "predict/compiled_file.h"

#include "common/file.h"

struct compiled *compiled_file_read(const char *path, struct err *err)
{
    struct buf text = BUF_INIT(COMPILED_FILE_MAX_BYTES);
    struct compiled *compiled = NULL;

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
