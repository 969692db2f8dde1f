#include "program/run/compiled_source.h"

#include <string.h>

#include "common/file.h"
#include "common/json.h"
#include "common/text.h"
#include "program/graph/search_spec.h"
#include "program/run/compiled.h"
#include "program/source/encoding.h"

enum { COMPILED_MAX_BYTES = 64 << 20 };

bool compiled_decode(const char *data, size_t len, struct buf *spare,
                     const char **text, size_t *text_len, struct err *err)
{
    return encoding_decode(data, len, spare, text, text_len,
                           "name the JSON file that `promptcc run` wrote", err);
}

static json_t *parse(const char *data, size_t len, struct err *err)
{
    struct buf spare = BUF_INIT(COMPILED_MAX_BYTES);
    const char *text = NULL;
    size_t text_len = 0;
    json_t *root = NULL;

    if (compiled_decode(data, len, &spare, &text, &text_len, err))
        root = json_parse(text, text_len, COMPILED_MAX_BYTES, err);
    buf_release(&spare);
    return root;
}

bool compiled_source_open(struct compiled_source *source, const char *path,
                          const char *text, size_t len, struct err *err)
{
    struct err why = ERR_CLEAR;

    *source = (struct compiled_source){.err = err};
    (void)text_print(source->path, sizeof source->path, "%s",
                     FILE_SHOWN(path, COMPILED_SOURCE_PATH - 1));
    source->root = parse(text, len, &why);
    if (source->root == NULL) {
        err_set(err, why.code, "%s: %s", source->path, why.text);
        return false;
    }
    if (!json_is_object(source->root)) {
        err_set(err, ERR_INPUT,
                "%s: this is not a compiled program: it is not a JSON object",
                source->path);
        json_decref(source->root);
        return false;
    }
    return true;
}

void compiled_source_release(struct compiled_source *source)
{
    json_decref(source->root);
}

json_t *compiled_source_metadata(const struct compiled_source *source)
{
    return json_object_get(json_object_get(source->root, "metadata"),
                           "promptcc");
}

bool compiled_source_is_known(const struct compiled_source *source,
                              const json_t *metadata)
{
    int64_t format = json_get_int(metadata, "format", 0);

    if (format <= COMPILED_FORMAT)
        return true;
    err_set(
        source->err, ERR_INPUT,
        "%s: it was written by a newer promptcc (format %lld): update this one",
        source->path, (long long)format);
    return false;
}

bool compiled_source_settings(const struct compiled_source *source,
                              const json_t *given, enum setting_place place,
                              const char *where, struct settings *out)
{
    struct err why = ERR_CLEAR;

    if (!settings_read(given, place, out, &why)) {
        err_set(source->err, ERR_INPUT, "%s: metadata.promptcc%s: %s",
                source->path, where, why.text);
        return false;
    }
    return true;
}

enum search_by compiled_source_picks_by(const json_t *pool)
{
    return strcmp(json_get_text(pool, "by", search_by_names[SEARCH_BY_WORDS]),
                  search_by_names[SEARCH_BY_WORDS]) == 0
               ? SEARCH_BY_WORDS
               : SEARCH_BY_EMBEDDINGS;
}
