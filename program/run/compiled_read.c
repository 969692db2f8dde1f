// compiled_read: reads what promptcc says in the metadata of its own files.

#include "program/run/compiled.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "program/graph/search_spec.h"
#include "program/run/compiled_candidate.h"
#include "program/run/compiled_source.h"

static bool refuse(const struct compiled_source *source, const char *key,
                   const char *wanted)
{
    err_set(source->err, ERR_INPUT, "%s: metadata.promptcc.%s must be %s",
            source->path, key, wanted);
    return false;
}

static bool read_format(const struct compiled_source *source,
                        const json_t *metadata)
{
    int64_t format = json_get_int(metadata, "format", 0);

    if (metadata == NULL) {
        err_set(source->err, ERR_INPUT,
                "%s: it was not written by promptcc (it has no "
                "metadata.promptcc), so it does not say what the program is; "
                "use it with `promptcc eval JOB --compiled`",
                source->path);
        return false;
    }
    return compiled_source_is_known(source, metadata) &&
           (format >= 1 || refuse(source, "format", "1, 2 or 3"));
}

static bool read_program(const struct compiled_source *source,
                         const json_t *metadata, struct compiled *out)
{
    const json_t *given = json_object_get(metadata, "program");
    const char *name;
    json_t *pool;

    if (!json_is_object(given))
        return refuse(source, "program", "a JSON object");
    out->program = program_of_json(given, source->path, source->err);
    if (out->program == NULL)
        return false;
    json_object_foreach(json_object_get(metadata, "pools"), name, pool) {
        out->program->pools_by = compiled_source_picks_by(pool);
        break;
    }
    return true;
}

static bool copy_text(const struct compiled_source *source,
                      const json_t *object, const char *key, char **out)
{
    *out = strdup(json_get_text(object, key, ""));
    if (*out == NULL)
        err_nomem(source->err, "a compiled program");
    return *out != NULL;
}

static bool read_student(const struct compiled_source *source,
                         const json_t *metadata, struct compiled *out)
{
    const json_t *student =
        json_object_get(json_object_get(metadata, "models"), "student");

    if (!copy_text(source, student, "name", &out->model) ||
        !copy_text(source, student, "digest", &out->digest))
        return false;
    if (out->model[0] == '\0')
        return refuse(source, "models.student.name", "a model's name");
    return compiled_source_settings(source, json_object_get(student, "options"),
                                    SETTING_MODEL, ".models.student.options",
                                    &out->settings);
}

static bool picks_by_embeddings(const struct program *program,
                                const struct candidate *candidate)
{
    for (size_t p = 0; p < candidate->n_parts; p++)
        if (candidate->parts[p].nearest > 0)
            return program->pools_by == SEARCH_BY_EMBEDDINGS;
    return false;
}

// Reads the embedding model, which a file that searches by embeddings must
// have.
static bool read_embedder(const struct compiled_source *source,
                          const json_t *metadata, struct compiled *out)
{
    const json_t *embedder =
        json_object_get(json_object_get(metadata, "models"), "embed");
    int64_t num_ctx =
        json_get_int(json_object_get(embedder, "options"), "num_ctx", 1);

    if (!copy_text(source, embedder, "name", &out->embed_model) ||
        !copy_text(source, embedder, "digest", &out->embed_digest))
        return false;
    if (num_ctx < 1 || num_ctx > INT32_MAX)
        return refuse(source, "models.embed.options.num_ctx",
                      "a number of tokens");
    out->embed_num_ctx = (int32_t)num_ctx;
    if (search_embeddings(out->program, out->candidate->values) == 0 &&
        !picks_by_embeddings(out->program, out->candidate))
        out->embed_model[0] = '\0';
    else if (out->embed_model[0] == '\0')
        return refuse(
            source, "models.embed.name",
            "a model's name, because the program searches by embeddings");
    return true;
}

// Checks the settings that a run needs.
static bool check_settings(const struct compiled_source *source,
                           const struct compiled *out)
{
    const char *missing = settings_missing(&out->settings);

    if (missing == NULL)
        return true;
    err_set(source->err, ERR_INPUT, "%s: metadata.promptcc has no `%s`",
            source->path, missing);
    return false;
}

static bool read_compiled(const struct compiled_source *source,
                          struct compiled *out)
{
    json_t *metadata = compiled_source_metadata(source);

    if (!read_format(source, metadata) ||
        !read_program(source, metadata, out) ||
        !compiled_source_settings(source, metadata, SETTING_JOB, "",
                                  &out->settings) ||
        !read_student(source, metadata, out) || !check_settings(source, out) ||
        !copy_text(source, metadata, "job", &out->job_id))
        return false;
    out->simulated = json_get_bool(metadata, "simulated", false);
    out->metadata = json_incref(metadata);
    out->candidate =
        compiled_candidate_read(source, out->program, &(struct settings){0});
    return out->candidate != NULL && read_embedder(source, metadata, out);
}

struct compiled *compiled_read(const char *path, const char *text, size_t len,
                               struct err *err)
{
    struct compiled_source source;
    struct compiled *compiled = NULL;

    if (!compiled_source_open(&source, path, text, len, err))
        return NULL;
    compiled = calloc(1, sizeof *compiled);
    if (compiled == NULL) {
        err_nomem(err, "a compiled program");
    } else if (!read_compiled(&source, compiled)) {
        compiled_free(compiled);
        compiled = NULL;
    }
    compiled_source_release(&source);
    return compiled;
}

size_t compiled_models(const struct compiled *compiled, const char *out[2])
{
    size_t n = 0;

    out[n++] = compiled->model;
    if (compiled->embed_model[0] != '\0')
        out[n++] = compiled->embed_model;
    return n;
}

void compiled_free(struct compiled *compiled)
{
    if (compiled == NULL)
        return;
    candidate_unref(compiled->candidate);
    program_free(compiled->program);
    free(compiled->folder);
    free(compiled->model);
    free(compiled->digest);
    free(compiled->embed_model);
    free(compiled->embed_digest);
    free(compiled->job_id);
    json_decref(compiled->metadata);
    free(compiled);
}
