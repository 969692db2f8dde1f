#include "cli/jobfile_overrides.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/jobfile_files.h"
#include "common/file.h"
#include "common/json.h"
#include "predict/compiled_file.h"
#include "program/run/ensemble.h"
#include "program/source/yaml.h"
#include "store/query.h"

static bool add_override(struct jobfile *file, const char *text,
                         struct err *err)
{
    if (text == NULL) {
        err_nomem(err, "the options");
        return false;
    }
    file->overrides[file->n_overrides++] = text;
    return true;
}

static bool is_typed(const struct options *options, enum option_id id)
{
    return (options->given & OPTION_BIT(id)) != 0;
}

static bool sets_key(const struct jobfile *file, const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < file->n_overrides; i++)
        if (strncmp(file->overrides[i], key, len) == 0 &&
            file->overrides[i][len] == '=')
            return true;
    return false;
}

static bool add_budget(struct jobfile *file, const struct options *options,
                       enum option_id id, const char *key, struct err *err)
{
    const char *text = option_text(options, id);

    // A value from the environment gives way to --set.
    if (text == NULL || (sets_key(file, key) && !is_typed(options, id)))
        return true;
    return add_override(file, arena_printf(&file->arena, "%s=%s", key, text),
                        err);
}

// Returns true if the job file itself names this optimizer; then its parameters
// stay.
static bool is_own_optimizer(struct jobfile *file, const char *name)
{
    const struct bundle_file *text = &file->bundle->files[0];
    struct err ignored = ERR_CLEAR;
    struct diags *diags = diags_new(&ignored); // the file is read again later,
                                               // and its findings reported then
    const struct node *root = diags == NULL
                                  ? NULL
                                  : yaml_parse(&file->arena, file->path,
                                               text->data, text->len, diags);
    const struct node *own = root == NULL ? NULL : node_find(root, "optimizer");
    bool same = false;

    if (own != NULL && own->kind == NODE_SCALAR)
        same = strcmp(own->text, name) == 0;
    else if (own != NULL && own->kind == NODE_MAP)
        same = node_find(own, name) != NULL;
    diags_free(diags);
    return same;
}

// Another optimizer replaces the job's before anything is set in it.
static bool add_optimizer(struct jobfile *file, const struct options *options,
                          struct err *err)
{
    const char *name = option_text(options, OPT_OPTIMIZER);

    return name == NULL || is_own_optimizer(file, name) ||
           add_override(file,
                        arena_printf(&file->arena, "optimizer={%s: {}}", name),
                        err);
}

static bool add_prompt_tokens(struct jobfile *file,
                              const struct options *options, struct err *err)
{
    int64_t most = option_number(options, OPT_MAX_PROMPT_TOKENS, 0);

    return most == 0 ||
           add_override(
               file,
               arena_printf(&file->arena, "max_prompt_tokens=%" PRId64, most),
               err);
}

// Adds the compiled program of a job in the store, as a file of the bundle.
static bool add_from_store(struct jobfile *file, const struct options *options,
                           const char *id, const char **name, struct err *err)
{
    char *path = jobfile_given_or(option_text(options, OPT_STORE), file->path,
                                  JOBFILE_STORE);
    struct store *store = path == NULL ? NULL : store_open_read(path, err);
    json_t *rows = store == NULL
                       ? NULL
                       : query_rows(store,
                                    "SELECT compiled FROM jobs WHERE id = ?1 "
                                    "AND compiled IS NOT NULL AND "
                                    "row_check('jobs', no, compiled_sum, no, "
                                    "compiled)",
                                    &id, 1, err);
    const char *text = json_get_text(json_array_get(rows, 0), "compiled", NULL);
    bool ok = false;

    *name = arena_printf(&file->arena, "from-%s.json", id);
    if (text != NULL && *name != NULL)
        ok = bundle_add(file->bundle, *name, text, strlen(text), err);
    else if (err->code == ERR_NONE || err->code == ERR_INPUT)
        err_set(err, ERR_INPUT,
                "--from: \"%s\" is neither a file nor a job of %s that "
                "has a compiled program",
                FILE_SHOWN(id, 80),
                path == NULL ? "the store" : FILE_SHOWN(path, 80));
    json_decref(rows);
    store_close(store);
    free(path);
    return ok;
}

static bool add_from(struct jobfile *file, const struct options *options,
                     struct err *err)
{
    const char *from = option_text(options, OPT_FROM);
    const char *name = NULL;

    if (from == NULL)
        return true;
    if (access(from, F_OK) == 0
            ? !jobfile_add(file, from, &name, err)
            : !add_from_store(file, options, from, &name, err))
        return false;
    return add_override(file, arena_printf(&file->arena, "from=\"%s\"", name),
                        err);
}

static bool add_part(struct jobfile *file, const json_t *program,
                     const char *key, struct err *err)
{
    char *text = json_text(json_object_get(program, key));
    bool ok = add_override(
        file,
        text == NULL ? NULL : arena_printf(&file->arena, "%s=%s", key, text),
        err);

    free(text);
    return ok;
}

// Reads the file of --compiled. An ensemble has steps that the job lacks, so it
// is scored like a job with the ensemble's program. A mistake in the file is
// reported when the file is read for its prompts.
static bool read_compiled(struct jobfile *file, const struct options *options,
                          struct err *err)
{
    const char *path = option_text(options, OPT_COMPILED);
    struct err ignored = ERR_CLEAR;

    if (path == NULL)
        return true;
    if (!compiled_file_is_named(path, err) ||
        !file_read(path, &file->compiled, err))
        return false;
    const struct buf *data = &file->compiled;
    struct compiled *compiled = compiled_read(
        path, data->data == NULL ? "" : data->data, data->len, &ignored);
    bool ok = true;

    if (compiled != NULL && ensemble_is(compiled)) {
        const json_t *program = json_object_get(compiled->metadata, "program");

        ok = add_part(file, program, "inputs", err) &&
             add_part(file, program, "steps", err) &&
             add_part(file, program, "outputs", err);
    }
    compiled_free(compiled);
    return ok;
}

// Refuses two values of one key, of which one would be silently dropped. An
// option such as --max-calls sets a key as well.
static bool check_overrides(const struct jobfile *file, struct err *err)
{
    for (size_t i = 0; i < file->n_overrides; i++)
        for (size_t j = 0; j < i; j++) {
            const char *one = file->overrides[j], *other = file->overrides[i];
            size_t key = strcspn(one, "=");

            if (strncmp(one, other, key + 1) != 0 || strcmp(one, other) == 0)
                continue;
            err_set(err, ERR_INPUT,
                    "`%.*s` is set twice, to `%.50s` and to `%.50s`: only one "
                    "can count",
                    (int)(key < 60 ? key : 60), one, one + key + 1,
                    other + key + 1);
            return false;
        }
    return true;
}

// Finds a --set of the optimizer's seed, which --seed sets too.
static const char *find_set_seed(const struct options *options)
{
    const char *const *set;
    size_t n = option_list(options, OPT_SET, &set);

    for (size_t i = 0; i < n; i++) {
        size_t key = strcspn(set[i], "=");

        if (strncmp(set[i], "optimizer.", 10) == 0 && key >= 5 &&
            strncmp(set[i] + key - 5, ".seed", 5) == 0)
            return set[i];
    }
    return NULL;
}

static bool check_seed(const struct options *options, struct err *err)
{
    const char *set = find_set_seed(options);

    if (set == NULL || !is_typed(options, OPT_SEED))
        return true;
    err_set(err, ERR_INPUT,
            "--seed and --set %.80s both set the optimizer's seed: only one "
            "can count",
            set);
    return false;
}

// Returns the seed of the option. A seed from the environment gives way to
// --set.
static const char *seed_of(const struct options *options)
{
    return !is_typed(options, OPT_SEED) && find_set_seed(options) != NULL
               ? NULL
               : option_text(options, OPT_SEED);
}

bool jobfile_override(struct jobfile *file, const struct options *options,
                      struct err *err)
{
    const char *const *set;
    size_t n = option_list(options, OPT_SET, &set);

    if (!add_optimizer(file, options, err) ||
        !read_compiled(file, options, err))
        return false;
    for (size_t i = 0; i < n; i++)
        file->overrides[file->n_overrides++] = set[i];
    return add_budget(file, options, OPT_MAX_CALLS, "budget.max_calls", err) &&
           add_budget(file, options, OPT_MAX_TOKENS, "budget.max_tokens",
                      err) &&
           add_budget(file, options, OPT_MAX_TIME, "budget.max_time", err) &&
           add_prompt_tokens(file, options, err) &&
           add_from(file, options, err) && check_overrides(file, err) &&
           check_seed(options, err);
}

// Returns the job's optimizer as one value, with the seed among its parameters.
static char *seeded_optimizer(const struct job *job, const char *seed)
{
    json_t *params = job->optimizer_node != NULL
                         ? node_json(job->optimizer_node)
                         : json_object();
    json_t *value = json_object();
    char *text = NULL;

    if (json_is_null(params)) {
        json_decref(params);
        params = json_object();
    }
    (void)json_object_set_new(params, "seed",
                              json_integer(strtoll(seed, NULL, 10)));
    if (value != NULL && json_object_set(value, job->optimizer, params) == 0)
        text = json_text(value);
    json_decref(params);
    json_decref(value);
    return text;
}

// Drops overrides of the whole optimizer, since the one with the seed contains
// them.
static void drop_optimizer(struct jobfile *file)
{
    size_t n = 0;

    for (size_t i = 0; i < file->n_overrides; i++)
        if (strncmp(file->overrides[i], "optimizer=", 10) != 0)
            file->overrides[n++] = file->overrides[i];
    file->n_overrides = n;
}

bool jobfile_override_seed(struct jobfile *file, const struct options *options,
                           bool *changed, struct err *err)
{
    const char *seed = seed_of(options);

    *changed = seed != NULL;
    if (seed == NULL)
        return true;
    char *text = seeded_optimizer(file->job, seed);

    drop_optimizer(file);
    bool ok = add_override(
        file,
        text == NULL ? NULL : arena_printf(&file->arena, "optimizer=%s", text),
        err);

    free(text);
    return ok;
}
