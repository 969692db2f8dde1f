// compiled_read: reads compiled files, the other half of compiled.h.

#include "program/run/compiled.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "program/graph/kind.h"
#include "program/graph/search_spec.h"
#include "program/graph/type_check.h"
#include "program/run/compiled_name.h"
#include "program/source/encoding.h"

enum {
    COMPILED_MAX_BYTES = 64 << 20,
    DEMOS_MAX = 1000, // of one predictor
    RANK_ALONE = 100, // the worst rank of a name that matches
};

// The file being read.
struct file {
    const char *path; // borrowed
    json_t *root;     // owned
    struct err *err;
};

// The command that reads the file adds what to do about it.
static const char *const another = "it was compiled from another program";

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

static bool open_file(struct file *file, const char *path, const char *text,
                      size_t len, struct err *err)
{
    struct err why = ERR_CLEAR;

    *file = (struct file){.path = path, .err = err};
    file->root = parse(text, len, &why);
    if (file->root == NULL) {
        err_set(err, why.code, "%s: %s", path, why.text);
        return false;
    }
    if (!json_is_object(file->root)) {
        err_set(err, ERR_INPUT,
                "%s: this is not a compiled program: it is not a JSON object",
                path);
        json_decref(file->root);
        return false;
    }
    return true;
}

// ---- finding predictors

// Ranks how well key names the step's predictor: 0 for the name that DSPy uses
// today, then those of older versions, then the name that a predictor has if it
// is the whole program. Returns -1 if key is the name of another predictor.
static int name_rank(const struct program *program, const struct step *step,
                     const char *key)
{
    const struct dspy_names *names = &step->kind->dspy;
    size_t len = strlen(step->name);

    for (int i = 0; names->suffixes[i] != NULL; i++)
        if (strncmp(key, step->name, len) == 0 &&
            strcmp(key + len, names->suffixes[i]) == 0)
            return i;
    return program->n_predictors == 1 && strcmp(key, names->alone) == 0
               ? RANK_ALONE
               : -1;
}

static bool is_predictor(const json_t *value)
{
    return json_is_object(json_object_get(value, "signature")) ||
           json_is_string(json_object_get(value, "signature_instructions"));
}

// Returns the step's predictor, borrowed; NULL after an error.
static const json_t *find_predictor(const struct file *file,
                                    const struct program *program,
                                    const struct step *step)
{
    const json_t *found = NULL;
    int best = RANK_ALONE + 1;

    for (void *at = json_object_iter(file->root); at != NULL;
         at = json_object_iter_next(file->root, at)) {
        int rank = name_rank(program, step, json_object_iter_key(at));

        if (rank < 0 || rank >= best)
            continue;
        best = rank;
        found = json_object_iter_value(at);
    }
    if (found == NULL && program->n_predictors == 1 && is_predictor(file->root))
        found = file->root;
    if (found == NULL)
        err_set(file->err, ERR_INPUT, "%s: it has no predictor \"%s%s\"; %s",
                file->path, step->name, step->kind->dspy.suffixes[0], another);
    return found;
}

static bool knows_predictor(const struct program *program, const char *key)
{
    for (size_t i = 0; i < program->n_predictors; i++) {
        if (name_rank(program, program_predictor(program, i), key) >= 0)
            return true;
    }
    return false;
}

// A predictor that the program lacks means that the file is of another program.
static bool check_predictors(const struct file *file,
                             const struct program *program)
{
    for (void *at = json_object_iter(file->root); at != NULL;
         at = json_object_iter_next(file->root, at)) {
        const char *key = json_object_iter_key(at);

        if (!is_predictor(json_object_iter_value(at)) ||
            strcmp(key, "metadata") == 0 || knows_predictor(program, key))
            continue;
        err_set(file->err, ERR_INPUT,
                "%s: it has a predictor \"%s\" that the program lacks; %s",
                file->path, key, another);
        return false;
    }
    return true;
}

// ---- a predictor

static const struct field *nth_field(const struct signature *signature,
                                     size_t i)
{
    return i < signature->n_inputs
               ? &signature->inputs[i]
               : &signature->outputs[i - signature->n_inputs];
}

// Fields have no names in the file, so they are matched by position and prefix.
static bool check_fields(const struct file *file, const struct step *step,
                         const json_t *fields)
{
    const struct signature *signature = &step->signature;
    size_t n = signature->n_inputs + signature->n_outputs;

    if (json_array_size(fields) != n) {
        err_set(file->err, ERR_INPUT,
                "%s: the predictor of step %s has %zu fields, not %zu; %s",
                file->path, step->name, json_array_size(fields), n, another);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = nth_field(signature, i)->name;
        const char *prefix =
            json_get_text(json_array_get(fields, i), "prefix", "");

        if (compiled_prefix_fits(prefix, name))
            continue;
        err_set(file->err, ERR_INPUT,
                "%s: field %zu of step %s is \"%.60s\", not `%s`; %s",
                file->path, i + 1, step->name, prefix, name, another);
        return false;
    }
    return true;
}

// Returns the instruction, borrowed; NULL after an error. Old files have it
// directly in the predictor.
static const char *read_instruction(const struct file *file,
                                    const struct step *step,
                                    const json_t *predictor)
{
    const json_t *signature = json_object_get(predictor, "signature");
    const char *text = json_get_text(predictor, "signature_instructions", NULL);

    if (signature != NULL) {
        text = json_get_text(signature, "instructions", NULL);
        if (text != NULL &&
            !check_fields(file, step, json_object_get(signature, "fields")))
            return NULL;
    } else if (step->kind->dspy.instruction != NULL) {
        text = json_get_text(predictor, step->kind->dspy.instruction, text);
    }
    if (text == NULL)
        err_set(file->err, ERR_INPUT,
                "%s: the predictor of step %s has no instructions (a text "
                "under signature.instructions)",
                file->path, step->name);
    return text;
}

static bool is_whole(const struct signature *signature, const json_t *given)
{
    size_t n = signature->n_inputs + signature->n_outputs;

    for (size_t i = 0; i < n; i++) {
        if (json_object_get(given, nth_field(signature, i)->name) == NULL)
            return false;
    }
    return true;
}

// Checks outputs only: values of inputs may be any JSON, as composed ones are.
static bool check_demo(const struct file *file, const struct step *step,
                       const json_t *given)
{
    const struct signature *signature = &step->signature;
    struct err why = ERR_CLEAR;

    for (size_t i = 0; i < signature->n_outputs; i++) {
        const struct field *field = &signature->outputs[i];

        if (type_check(&field->type, field->name,
                       json_object_get(given, field->name), &why))
            continue;
        err_set(file->err, why.code, "%s: a demo of step %s: %s", file->path,
                step->name, why.text);
        return false;
    }
    return true;
}

// Copies only the step's fields, in its order. Returns a new reference.
static json_t *copy_fields(const struct signature *signature, json_t *given)
{
    size_t n = signature->n_inputs + signature->n_outputs;
    json_t *fields = json_object();

    for (size_t i = 0; i < n && fields != NULL; i++) {
        const char *name = nth_field(signature, i)->name;

        if (json_object_set(fields, name, json_object_get(given, name)) == 0)
            continue;
        json_decref(fields);
        fields = NULL;
    }
    return fields;
}

// Skips a demo that lacks a field, because it would teach the model to omit
// fields.
static bool add_demo(const struct file *file, const struct step *step,
                     json_t *given, struct demo *demos, size_t *n)
{
    if (!is_whole(&step->signature, given))
        return true;
    if (!check_demo(file, step, given))
        return false;
    json_t *fields = copy_fields(&step->signature, given);
    if (fields == NULL) {
        err_nomem(file->err, "a demo");
        return false;
    }
    bool augmented = json_is_true(json_object_get(given, "augmented"));
    demos[(*n)++] =
        (struct demo){.fields = fields, .augmented = augmented, .row = -1};
    return true;
}

static bool check_demos(const struct file *file, const struct step *step,
                        const json_t *list)
{
    size_t n = json_array_size(list);
    bool ok = (list == NULL || json_is_array(list)) && n <= DEMOS_MAX;

    for (size_t i = 0; ok && i < n; i++)
        ok = json_is_object(json_array_get(list, i));
    if (!ok)
        err_set(file->err, ERR_INPUT,
                "%s: the demos of step %s must be a list of at most %d JSON "
                "objects",
                file->path, step->name, DEMOS_MAX);
    return ok;
}

static bool read_demos(const struct file *file, const struct step *step,
                       const json_t *list, size_t part,
                       struct candidate *candidate)
{
    size_t given = json_array_size(list);
    size_t n = 0;
    bool ok = true;

    if (!check_demos(file, step, list))
        return false;
    struct demo *demos = calloc(given + 1, sizeof *demos);
    if (demos == NULL) {
        err_nomem(file->err, "demos");
        return false;
    }
    for (size_t i = 0; ok && i < given; i++)
        ok = add_demo(file, step, json_array_get(list, i), demos, &n);
    ok = ok && candidate_set_demos(candidate, part, n > 0 ? 1 : 0, demos, n,
                                   file->err);
    for (size_t i = 0; i < n; i++)
        json_decref(demos[i].fields);
    free(demos);
    return ok;
}

// Returns the step's pool in the metadata, {"nearest", "demos"}; NULL if it has
// none.
static const json_t *find_pool(const struct file *file, const struct step *step)
{
    const json_t *metadata =
        json_object_get(json_object_get(file->root, "metadata"), "promptcc");

    return json_object_get(json_object_get(metadata, "pools"), step->name);
}

static enum search_by pool_by(const json_t *pool)
{
    return strcmp(json_get_text(pool, "by", search_by_names[SEARCH_BY_WORDS]),
                  search_by_names[SEARCH_BY_WORDS]) == 0
               ? SEARCH_BY_WORDS
               : SEARCH_BY_EMBEDDINGS;
}

// A program picks the demos of all its pools in the same way.
static bool check_by(const struct file *file, const struct program *program,
                     const struct step *step, const json_t *pool)
{
    enum search_by by = pool_by(pool);

    if (by == program->pools_by)
        return true;
    err_set(file->err, ERR_INPUT,
            "%s: the demos of step %s are picked by %s, and the program picks "
            "them by %s: write `demos: {by: %s}` in the job",
            file->path, step->name, search_by_names[by],
            search_by_names[program->pools_by], search_by_names[by]);
    return false;
}

static bool read_pool(const struct file *file, const struct program *program,
                      const struct step *step, const json_t *pool, size_t part,
                      struct candidate *candidate)
{
    int64_t nearest = json_get_int(pool, "nearest", 0);

    if (!check_by(file, program, step, pool))
        return false;
    if (nearest < 1 || nearest > DEMOS_MAX) {
        err_set(file->err, ERR_INPUT,
                "%s: metadata.promptcc.pools.%s.nearest must be a number from "
                "1 to %d",
                file->path, step->name, DEMOS_MAX);
        return false;
    }
    if (!read_demos(file, step, json_object_get(pool, "demos"), part,
                    candidate))
        return false;
    candidate_set_nearest(candidate, part, (size_t)nearest);
    return true;
}

static bool read_part(const struct file *file, const struct program *program,
                      size_t part, struct candidate *candidate)
{
    const struct step *step = program_predictor(program, part);
    const json_t *predictor = find_predictor(file, program, step);

    if (predictor == NULL)
        return false;
    const char *text = read_instruction(file, step, predictor);
    if (text == NULL)
        return false;
    int no = strcmp(text, step->signature.instruction) == 0 ? 0 : 1;
    const json_t *pool = find_pool(file, step);
    if (!candidate_set_instruction(candidate, part, no, text, file->err))
        return false;
    if (pool != NULL)
        return read_pool(file, program, step, pool, part, candidate);
    return read_demos(file, step, json_object_get(predictor, "demos"), part,
                      candidate);
}

// A tuned value that does not fit the given program means that the file is of
// another program.
static bool read_tuned(const struct file *file, const struct program *program,
                       struct candidate *candidate)
{
    const json_t *metadata =
        json_object_get(json_object_get(file->root, "metadata"), "promptcc");
    json_t *tuned = json_object_get(metadata, "tuned");
    struct err why = ERR_CLEAR;

    for (void *at = json_object_iter(tuned); at != NULL;
         at = json_object_iter_next(tuned, at)) {
        const char *name = json_object_iter_key(at);
        const json_t *value = json_object_iter_value(at);

        if ((strchr(name, '.') == NULL ||
             program_check_tunable(program, name, value, &why)) &&
            candidate_set_value(candidate, name, value, &why))
            continue;
        err_set(file->err, why.code, "%s: metadata.promptcc.tuned: %s",
                file->path, why.text);
        return false;
    }
    return true;
}

static struct candidate *read_candidate(const struct file *file,
                                        const struct program *program,
                                        const struct settings *settings)
{
    struct candidate *candidate = NULL;
    bool ok = check_predictors(file, program);

    if (ok)
        candidate = candidate_new(program, file->err);
    ok = candidate != NULL;
    for (size_t i = 0; ok && i < program->n_predictors; i++)
        ok = read_part(file, program, i, candidate);
    if (ok)
        candidate->settings = *settings;
    if (!ok || !read_tuned(file, program, candidate)) {
        candidate_unref(candidate);
        return NULL;
    }
    candidate_seal(candidate);
    return candidate;
}

static bool read_settings(const struct file *file, const json_t *given,
                          enum setting_place place, const char *where,
                          struct settings *out)
{
    struct err why = ERR_CLEAR;

    if (!settings_read(given, place, out, &why)) {
        err_set(file->err, ERR_INPUT, "%s: metadata.promptcc%s: %s", file->path,
                where, why.text);
        return false;
    }
    return true;
}

// Refuses files of a newer promptcc, which may mean something else. metadata is
// NULL if promptcc did not write the file.
static bool is_known_format(const struct file *file, const json_t *metadata)
{
    int64_t format = json_get_int(metadata, "format", 0);

    if (format <= COMPILED_FORMAT)
        return true;
    err_set(
        file->err, ERR_INPUT,
        "%s: it was written by a newer promptcc (format %lld): update this one",
        file->path, (long long)format);
    return false;
}

struct candidate *compiled_candidate(const struct program *program,
                                     const char *path, const char *text,
                                     size_t len, struct err *err)
{
    struct file file;

    if (!open_file(&file, path, text, len, err))
        return NULL;
    const json_t *metadata =
        json_object_get(json_object_get(file.root, "metadata"), "promptcc");
    struct settings form = {0};
    struct candidate *candidate = NULL;
    // The form of the answers belongs to the prompts, while the models are the
    // job's.
    if (is_known_format(&file, metadata) &&
        read_settings(&file, metadata, SETTING_JOB, "", &form))
        candidate = read_candidate(&file, program, &form);
    json_decref(file.root);
    return candidate;
}

// ---- what promptcc says about its own files

static bool refuse(const struct file *file, const char *key, const char *wanted)
{
    err_set(file->err, ERR_INPUT, "%s: metadata.promptcc.%s must be %s",
            file->path, key, wanted);
    return false;
}

static bool read_format(const struct file *file, const json_t *metadata)
{
    int64_t format = json_get_int(metadata, "format", 0);

    if (metadata == NULL) {
        err_set(file->err, ERR_INPUT,
                "%s: it was not written by promptcc (it has no "
                "metadata.promptcc), so it does not say what the program is; "
                "use it with `promptcc eval JOB --compiled`",
                file->path);
        return false;
    }
    return is_known_format(file, metadata) &&
           (format >= 1 || refuse(file, "format", "1, 2 or 3"));
}

static bool read_program(const struct file *file, const json_t *metadata,
                         struct compiled *out)
{
    const json_t *given = json_object_get(metadata, "program");
    const char *name;
    json_t *pool;

    if (!json_is_object(given))
        return refuse(file, "program", "a JSON object");
    out->program = program_of_json(given, file->path, file->err);
    if (out->program == NULL)
        return false;
    json_object_foreach(json_object_get(metadata, "pools"), name, pool) {
        out->program->pools_by = pool_by(pool);
        break;
    }
    return true;
}

static bool copy_text(const struct file *file, const json_t *object,
                      const char *key, char **out)
{
    *out = strdup(json_get_text(object, key, ""));
    if (*out == NULL)
        err_nomem(file->err, "a compiled program");
    return *out != NULL;
}

static bool read_student(const struct file *file, const json_t *metadata,
                         struct compiled *out)
{
    const json_t *student =
        json_object_get(json_object_get(metadata, "models"), "student");

    if (!copy_text(file, student, "name", &out->model) ||
        !copy_text(file, student, "digest", &out->digest))
        return false;
    if (out->model[0] == '\0')
        return refuse(file, "models.student.name", "a model's name");
    return read_settings(file, json_object_get(student, "options"),
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
static bool read_embedder(const struct file *file, const json_t *metadata,
                          struct compiled *out)
{
    const json_t *embedder =
        json_object_get(json_object_get(metadata, "models"), "embed");
    int64_t num_ctx =
        json_get_int(json_object_get(embedder, "options"), "num_ctx", 1);

    if (!copy_text(file, embedder, "name", &out->embed_model) ||
        !copy_text(file, embedder, "digest", &out->embed_digest))
        return false;
    if (num_ctx < 1 || num_ctx > INT32_MAX)
        return refuse(file, "models.embed.options.num_ctx",
                      "a number of tokens");
    out->embed_num_ctx = (int32_t)num_ctx;
    if (search_embeddings(out->program, out->candidate->values) == 0 &&
        !picks_by_embeddings(out->program, out->candidate))
        out->embed_model[0] = '\0';
    else if (out->embed_model[0] == '\0')
        return refuse(
            file, "models.embed.name",
            "a model's name, because the program searches by embeddings");
    return true;
}

// Checks the settings that a run needs.
static bool check_settings(const struct file *file, const struct compiled *out)
{
    const char *missing = settings_missing(&out->settings);

    if (missing == NULL)
        return true;
    err_set(file->err, ERR_INPUT, "%s: metadata.promptcc has no `%s`",
            file->path, missing);
    return false;
}

static bool read_compiled(const struct file *file, struct compiled *out)
{
    json_t *metadata =
        json_object_get(json_object_get(file->root, "metadata"), "promptcc");

    if (!read_format(file, metadata) || !read_program(file, metadata, out) ||
        !read_settings(file, metadata, SETTING_JOB, "", &out->settings) ||
        !read_student(file, metadata, out) || !check_settings(file, out) ||
        !copy_text(file, metadata, "job", &out->job_id))
        return false;
    out->simulated = json_get_bool(metadata, "simulated", false);
    out->metadata = json_incref(metadata);
    out->candidate = read_candidate(file, out->program, &(struct settings){0});
    return out->candidate != NULL && read_embedder(file, metadata, out);
}

struct compiled *compiled_read(const char *path, const char *text, size_t len,
                               struct err *err)
{
    struct file file;
    struct compiled *compiled = NULL;

    if (!open_file(&file, path, text, len, err))
        return NULL;
    compiled = calloc(1, sizeof *compiled);
    if (compiled == NULL) {
        err_nomem(err, "a compiled program");
    } else if (!read_compiled(&file, compiled)) {
        compiled_free(compiled);
        compiled = NULL;
    }
    json_decref(file.root);
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
