#include "program/run/compiled_candidate.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "program/graph/kind.h"
#include "program/graph/search_spec.h"
#include "program/graph/type_check.h"
#include "program/run/compiled.h"
#include "program/run/compiled_name.h"
#include "program/run/compiled_source.h"

enum {
    DEMOS_MAX = 1000, // of one predictor
    RANK_ALONE = 100, // the worst rank of a name that matches
};

// The command that reads the file adds what to do about it.
static const char *const another = "it was compiled from another program";

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
static const json_t *find_predictor(const struct compiled_source *source,
                                    const struct program *program,
                                    const struct step *step)
{
    const json_t *found = NULL;
    int best = RANK_ALONE + 1;

    for (void *at = json_object_iter(source->root); at != NULL;
         at = json_object_iter_next(source->root, at)) {
        int rank = name_rank(program, step, json_object_iter_key(at));

        if (rank < 0 || rank >= best)
            continue;
        best = rank;
        found = json_object_iter_value(at);
    }
    if (found == NULL && program->n_predictors == 1 &&
        is_predictor(source->root))
        found = source->root;
    if (found == NULL)
        err_set(source->err, ERR_INPUT, "%s: it has no predictor \"%s%s\"; %s",
                source->path, step->name, step->kind->dspy.suffixes[0],
                another);
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
static bool check_predictors(const struct compiled_source *source,
                             const struct program *program)
{
    for (void *at = json_object_iter(source->root); at != NULL;
         at = json_object_iter_next(source->root, at)) {
        const char *key = json_object_iter_key(at);

        if (!is_predictor(json_object_iter_value(at)) ||
            strcmp(key, "metadata") == 0 || knows_predictor(program, key))
            continue;
        err_set(source->err, ERR_INPUT,
                "%s: it has a predictor \"%s\" that the program lacks; %s",
                source->path, key, another);
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
static bool check_fields(const struct compiled_source *source,
                         const struct step *step, const json_t *fields)
{
    const struct signature *signature = &step->signature;
    size_t n = signature->n_inputs + signature->n_outputs;

    if (json_array_size(fields) != n) {
        err_set(source->err, ERR_INPUT,
                "%s: the predictor of step %s has %zu fields, not %zu; %s",
                source->path, step->name, json_array_size(fields), n, another);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = nth_field(signature, i)->name;
        const char *prefix =
            json_get_text(json_array_get(fields, i), "prefix", "");

        if (compiled_prefix_fits(prefix, name))
            continue;
        err_set(source->err, ERR_INPUT,
                "%s: field %zu of step %s is \"%.60s\", not `%s`; %s",
                source->path, i + 1, step->name, prefix, name, another);
        return false;
    }
    return true;
}

// Returns the instruction, borrowed; NULL after an error. Old files have it
// directly in the predictor.
static const char *read_instruction(const struct compiled_source *source,
                                    const struct step *step,
                                    const json_t *predictor)
{
    const json_t *signature = json_object_get(predictor, "signature");
    const char *text = json_get_text(predictor, "signature_instructions", NULL);

    if (signature != NULL) {
        text = json_get_text(signature, "instructions", NULL);
        if (text != NULL &&
            !check_fields(source, step, json_object_get(signature, "fields")))
            return NULL;
    } else if (step->kind->dspy.instruction != NULL) {
        text = json_get_text(predictor, step->kind->dspy.instruction, text);
    }
    if (text == NULL)
        err_set(source->err, ERR_INPUT,
                "%s: the predictor of step %s has no instructions (a text "
                "under signature.instructions)",
                source->path, step->name);
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
static bool check_demo(const struct compiled_source *source,
                       const struct step *step, const json_t *given)
{
    const struct signature *signature = &step->signature;
    struct err why = ERR_CLEAR;

    for (size_t i = 0; i < signature->n_outputs; i++) {
        const struct field *field = &signature->outputs[i];

        if (type_check(&field->type, field->name,
                       json_object_get(given, field->name), &why))
            continue;
        err_set(source->err, why.code, "%s: a demo of step %s: %s",
                source->path, step->name, why.text);
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
static bool add_demo(const struct compiled_source *source,
                     const struct step *step, json_t *given, struct demo *demos,
                     size_t *n)
{
    if (!is_whole(&step->signature, given))
        return true;
    if (!check_demo(source, step, given))
        return false;
    json_t *fields = copy_fields(&step->signature, given);
    if (fields == NULL) {
        err_nomem(source->err, "a demo");
        return false;
    }
    bool augmented = json_is_true(json_object_get(given, "augmented"));
    demos[(*n)++] =
        (struct demo){.fields = fields, .augmented = augmented, .row = -1};
    return true;
}

static bool check_demos(const struct compiled_source *source,
                        const struct step *step, const json_t *list)
{
    size_t n = json_array_size(list);
    bool ok = (list == NULL || json_is_array(list)) && n <= DEMOS_MAX;

    for (size_t i = 0; ok && i < n; i++)
        ok = json_is_object(json_array_get(list, i));
    if (!ok)
        err_set(source->err, ERR_INPUT,
                "%s: the demos of step %s must be a list of at most %d JSON "
                "objects",
                source->path, step->name, DEMOS_MAX);
    return ok;
}

static bool read_demos(const struct compiled_source *source,
                       const struct step *step, const json_t *list, size_t part,
                       struct candidate *candidate)
{
    size_t given = json_array_size(list);
    size_t n = 0;
    bool ok = true;

    if (!check_demos(source, step, list))
        return false;
    struct demo *demos = calloc(given + 1, sizeof *demos);
    if (demos == NULL) {
        err_nomem(source->err, "demos");
        return false;
    }
    for (size_t i = 0; ok && i < given; i++)
        ok = add_demo(source, step, json_array_get(list, i), demos, &n);
    ok = ok && candidate_set_demos(candidate, part, n > 0 ? 1 : 0, demos, n,
                                   source->err);
    for (size_t i = 0; i < n; i++)
        json_decref(demos[i].fields);
    free(demos);
    return ok;
}

// Returns the step's pool in the metadata, {"nearest", "demos"}; NULL if it has
// none.
static const json_t *find_pool(const struct compiled_source *source,
                               const struct step *step)
{
    const json_t *metadata = compiled_source_metadata(source);

    return json_object_get(json_object_get(metadata, "pools"), step->name);
}

// A program picks the demos of all its pools in the same way.
static bool check_by(const struct compiled_source *source,
                     const struct program *program, const struct step *step,
                     const json_t *pool)
{
    enum search_by by = compiled_source_picks_by(pool);

    if (by == program->pools_by)
        return true;
    err_set(source->err, ERR_INPUT,
            "%s: the demos of step %s are picked by %s, and the program picks "
            "them by %s: write `demos: {by: %s}` in the job",
            source->path, step->name, search_by_names[by],
            search_by_names[program->pools_by], search_by_names[by]);
    return false;
}

static bool read_pool(const struct compiled_source *source,
                      const struct program *program, const struct step *step,
                      const json_t *pool, size_t part,
                      struct candidate *candidate)
{
    int64_t nearest = json_get_int(pool, "nearest", 0);

    if (!check_by(source, program, step, pool))
        return false;
    if (nearest < 1 || nearest > DEMOS_MAX) {
        err_set(source->err, ERR_INPUT,
                "%s: metadata.promptcc.pools.%s.nearest must be a number from "
                "1 to %d",
                source->path, step->name, DEMOS_MAX);
        return false;
    }
    if (!read_demos(source, step, json_object_get(pool, "demos"), part,
                    candidate))
        return false;
    candidate_set_nearest(candidate, part, (size_t)nearest);
    return true;
}

static bool read_part(const struct compiled_source *source,
                      const struct program *program, size_t part,
                      struct candidate *candidate)
{
    const struct step *step = program_predictor(program, part);
    const json_t *predictor = find_predictor(source, program, step);

    if (predictor == NULL)
        return false;
    const char *text = read_instruction(source, step, predictor);
    if (text == NULL)
        return false;
    int no = strcmp(text, step->signature.instruction) == 0 ? 0 : 1;
    const json_t *pool = find_pool(source, step);
    if (!candidate_set_instruction(candidate, part, no, text, source->err))
        return false;
    if (pool != NULL)
        return read_pool(source, program, step, pool, part, candidate);
    return read_demos(source, step, json_object_get(predictor, "demos"), part,
                      candidate);
}

// A tuned value that does not fit the given program means that the file is of
// another program.
static bool read_tuned(const struct compiled_source *source,
                       const struct program *program,
                       struct candidate *candidate)
{
    const json_t *metadata = compiled_source_metadata(source);
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
        err_set(source->err, why.code, "%s: metadata.promptcc.tuned: %s",
                source->path, why.text);
        return false;
    }
    return true;
}

// ---- the whole

struct candidate *compiled_candidate_read(const struct compiled_source *source,
                                          const struct program *program,
                                          const struct settings *settings)
{
    struct candidate *candidate = NULL;
    bool ok = check_predictors(source, program);

    if (ok)
        candidate = candidate_new(program, source->err);
    ok = candidate != NULL;
    for (size_t i = 0; ok && i < program->n_predictors; i++)
        ok = read_part(source, program, i, candidate);
    if (ok)
        candidate->settings = *settings;
    if (!ok || !read_tuned(source, program, candidate)) {
        candidate_unref(candidate);
        return NULL;
    }
    candidate_seal(candidate);
    return candidate;
}

struct candidate *compiled_candidate(const struct program *program,
                                     const char *path, const char *text,
                                     size_t len, struct err *err)
{
    struct compiled_source source;

    if (!compiled_source_open(&source, path, text, len, err))
        return NULL;
    const json_t *metadata = compiled_source_metadata(&source);
    struct settings form = {0};
    struct candidate *candidate = NULL;
    // The form of the answers belongs to the prompts, while the models are the
    // job's.
    if (compiled_source_is_known(&source, metadata) &&
        compiled_source_settings(&source, metadata, SETTING_JOB, "", &form))
        candidate = compiled_candidate_read(&source, program, &form);
    compiled_source_release(&source);
    return candidate;
}
