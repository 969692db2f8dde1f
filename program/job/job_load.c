#include <string.h>

#include "common/text.h"
#include "program/graph/search_spec.h"
#include "program/job/job_reader.h"
#include "program/job/tune.h"
#include "program/source/yaml.h"

enum { JOB_NAME_MAX = 64 };
#define COUNT_MAX INT64_C(1000000000000000)
#define SEED_MAX INT64_C(9000000000000000)

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

// The job's id begins with the name, and so do names of files and commands.
static void read_name(struct job_reader *reader, const struct node *node)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ";
    const char *name = NULL;

    if (!job_reader_text(reader, node, "`name`", &name))
        return;
    if (strlen(name) > JOB_NAME_MAX || strspn(name, allowed) != strlen(name) ||
        strchr(allowed + 62, name[0]) != NULL) {
        diag_add(reader->diags, DIAG_ERROR, "bad-name", &node->place,
                 "`name` must be at most %d letters, digits, `-`, `_`, `.` or "
                 "blanks, and start with a letter or digit",
                 JOB_NAME_MAX);
        return;
    }
    reader->job->name = name;
}

static void read_description(struct job_reader *reader, const struct node *node)
{
    const char *text = NULL;

    if (node->kind == NODE_NULL)
        return;
    if (node_text(node, "`description`", &text, reader->diags)) {
        reader->job->description = arena_strdup(&reader->job->arena, text);
        if (reader->job->description == NULL)
            (void)job_reader_nomem(reader);
    }
}

static void read_optimizer_seed(struct job_reader *reader,
                                const struct node *params)
{
    const struct node *seed = node_find(params, "seed");

    if (seed != NULL)
        (void)node_int(seed, "`seed`", 0, SEED_MAX, &reader->job->seed,
                       reader->diags);
}

// Reads NAME, or {NAME: parameters}. The optimizers themselves check the name
// and the parameters.
static void read_optimizer(struct job_reader *reader, const struct node *node)
{
    struct job *job = reader->job;

    job->optimizer_place = node->place;
    if (node->kind == NODE_SCALAR) {
        (void)job_reader_text(reader, node, "`optimizer`", &job->optimizer);
        return;
    }
    if (node->kind != NODE_MAP || node->n != 1) {
        diag_add(reader->diags, DIAG_ERROR, "wrong-value", &node->place,
                 "`optimizer` must be one name, such as miprov2, or one name "
                 "with its parameters");
        return;
    }
    const struct node *params = node->items[0];
    job->optimizer = node->keys[0];
    job->optimizer_place = node->key_places[0];
    if (params->kind == NODE_NULL ||
        !job_reader_map(reader, params, "`optimizer`",
                        "optimizer: {miprov2: {auto: light}}"))
        return;
    job->optimizer_node = params;
    read_optimizer_seed(reader, params);
}

static void read_max_time(struct job_reader *reader, const struct node *node)
{
    int64_t time_ms = 0;

    if (node->kind == NODE_SCALAR && text_duration_ms(node->text, &time_ms) &&
        time_ms > 0) {
        reader->job->budget.max_time_ms = time_ms;
        return;
    }
    diag_add(reader->diags, DIAG_ERROR, "wrong-value", &node->place,
             "`max_time` must be a time above 0, such as 90s, 60m or 2h");
}

static void read_budget(struct job_reader *reader, const struct node *node)
{
    static const char *const keys[] = {"max_calls", "max_tokens", "max_time"};
    struct job_budget *budget = &reader->job->budget;
    const struct node *calls = node_find(node, "max_calls");
    const struct node *tokens = node_find(node, "max_tokens");
    const struct node *max_time = node_find(node, "max_time");

    if (node->kind == NODE_NULL ||
        !job_reader_map(reader, node, "`budget`", "budget: {max_calls: 2000}"))
        return;
    node_only_keys(node, "`budget`", keys, LENGTH(keys), reader->diags);
    if (calls != NULL)
        (void)node_int(calls, "`max_calls`", 1, COUNT_MAX, &budget->max_calls,
                       reader->diags);
    if (tokens != NULL)
        (void)node_int(tokens, "`max_tokens`", 1, COUNT_MAX,
                       &budget->max_tokens, reader->diags);
    if (max_time != NULL)
        read_max_time(reader, max_time);
}

static void read_window(struct job_reader *reader, const struct node *node)
{
    (void)node_int(node, "`window`", 1, 1024, &reader->job->window,
                   reader->diags);
}

// Reads the top-level settings. `adapter: auto` is the same as no adapter.
static void read_settings(struct job_reader *reader, const char *const *names,
                          size_t n)
{
    struct job *job = reader->job;

    for (size_t i = 0; i < n; i++) {
        const struct node *node = node_find(reader->root, names[i]);
        bool adapter = strcmp(names[i], "adapter") == 0;

        if (node == NULL || (adapter && node->kind == NODE_SCALAR &&
                             strcmp(node->text, "auto") == 0))
            continue;
        job->adapter_auto = job->adapter_auto && !adapter;
        (void)settings_parse_one(node, names[i], &job->settings, reader->diags);
    }
}

static void add_nearest(struct job_reader *reader, const struct node *node)
{
    struct job *job = reader->job;
    int64_t number = 0;

    if (!node_int(node, "`nearest`", 1, TUNABLE_MAX_DEMOS, &number,
                  reader->diags))
        return;
    for (size_t i = 0; i < job->n_nearest; i++)
        if (job->nearest[i] == number)
            return;
    job->nearest[job->n_nearest++] = number;
}

// Reads a number, or several to try: {tune: [4, 8]}. The search can always
// choose to have no pool, and starts with that.
static void read_nearest(struct job_reader *reader, const struct node *node)
{
    static const char *const keys[] = {"tune"};
    const struct node *list = node_find(node, "tune");

    if (node->kind == NODE_SCALAR) {
        add_nearest(reader, node);
        return;
    }
    node_only_keys(node, "`nearest`", keys, LENGTH(keys), reader->diags);
    if (list == NULL || list->kind != NODE_LIST || list->n == 0 ||
        list->n > JOB_MAX_NEAREST) {
        diag_add(reader->diags, DIAG_ERROR, "wrong-value", &node->place,
                 "`nearest` must be a number of demos, or up to %d to choose "
                 "from",
                 JOB_MAX_NEAREST);
        diag_remedy(reader->diags, "write `nearest: 4`, or `nearest: {tune: "
                                   "[4, 8]}`");
        return;
    }
    for (size_t i = 0; i < list->n; i++)
        add_nearest(reader, list->items[i]);
}

static void read_demos(struct job_reader *reader, const struct node *node)
{
    static const char *const keys[] = {"count", "nearest", "by"};
    const struct node *count = node_find(node, "count");
    const struct node *nearest = node_find(node, "nearest");
    const struct node *by = node_find(node, "by");
    size_t choice = SEARCH_BY_WORDS;

    if (node->kind == NODE_NULL ||
        !job_reader_map(reader, node, "`demos`", "demos: {count: 8}"))
        return;
    node_only_keys(node, "`demos`", keys, LENGTH(keys), reader->diags);
    reader->job->limits_demos = count != NULL;
    if (count != NULL)
        (void)node_int(count, "`count`", 0, TUNABLE_MAX_DEMOS,
                       &reader->job->max_demos, reader->diags);
    if (nearest != NULL)
        read_nearest(reader, nearest);
    if (by != NULL &&
        node_choice(by, "`by`", search_by_names, &choice, reader->diags) &&
        reader->job->program != NULL && reader->job->n_nearest > 0)
        reader->job->program->pools_by = (enum search_by)choice;
}

static void read_skipped_steps(struct job_reader *reader,
                               const struct node *node)
{
    static const char *const names[] = {"bootstrap", "leave", NULL};
    size_t choice = 0;

    (void)node_choice(node, "`skipped_steps`", names, &choice, reader->diags);
    reader->job->bootstrap_skipped = choice == 0;
}

static void read_max_prompt_tokens(struct job_reader *reader,
                                   const struct node *node)
{
    (void)node_int(node, "`max_prompt_tokens`", 1, 16 << 20,
                   &reader->job->max_prompt_tokens, reader->diags);
}

static void read_from(struct job_reader *reader, const struct node *node)
{
    reader->job->from_place = node->place;
    (void)job_reader_text(reader, node, "`from`", &reader->job->from);
}

static void read_skip_bad(struct job_reader *reader, const struct node *node)
{
    (void)node_bool(node, "`skip_bad`", &reader->job->skip_bad, reader->diags);
}

static void read_metric(struct job_reader *reader, const struct node *node)
{
    struct job *job = reader->job;

    if (job->program == NULL)
        metric_check(&job->arena, node, reader->diags);
    else
        job->metric =
            metric_parse(&job->arena, node, job->program, reader->diags);
}

// The top-level keys, besides those of settings.c (read_settings). inputs,
// steps and outputs are read by program_parse, which reports it if they are
// missing. The metric needs the program, so it comes after it.
static const struct key_row {
    const char *key;
    const char *needed; // an example, for keys that every job must have
    void (*read)(struct job_reader *, const struct node *);
} key_rows[] = {
    {"name", "name: my-job", read_name},
    {"description", NULL, read_description},
    {"models", "models: {student: llama3.2:3b}", job_read_models},
    {"inputs", NULL, NULL},
    {"steps", NULL, NULL},
    {"outputs", NULL, NULL},
    {"data", "data: {examples: examples.jsonl}", job_read_data},
    {"demos", NULL, read_demos},
    {"metric", "metric: {exact_match: topic}", read_metric},
    {"optimizer", NULL, read_optimizer},
    {"budget", NULL, read_budget},
    {"window", NULL, read_window},
    {"skipped_steps", NULL, read_skipped_steps},
    {"skip_bad", NULL, read_skip_bad},
    {"max_prompt_tokens", NULL, read_max_prompt_tokens},
    {"from", NULL, read_from},
};

// If the number of demos is tuned, the limit is the largest choice.
static void settle_tunables(struct job_reader *reader, const struct tune *tune)
{
    struct job *job = reader->job;

    if (job->program == NULL ||
        !tune_settle(tune, job->program, &job->tunables))
        return;
    const struct tunable *count = tunables_find(&job->tunables, "demos.count");
    for (size_t i = 0; count != NULL && i < count->n_choices; i++)
        if (json_integer_value(count->choices[i]) > job->max_demos)
            job->max_demos = json_integer_value(count->choices[i]);
}

static void read_keys(struct job_reader *reader)
{
    const char *keys[LENGTH(key_rows) + SETTINGS_MAX];
    const char **settings = keys + LENGTH(key_rows);
    size_t n_settings = settings_names(SETTING_JOB, settings);
    struct tune tune = {.arena = &reader->job->arena, .diags = reader->diags};

    for (size_t i = 0; i < LENGTH(key_rows); i++)
        keys[i] = key_rows[i].key;
    node_only_keys(reader->root, "a job", keys, LENGTH(key_rows) + n_settings,
                   reader->diags);
    tune_take(&tune, reader->root);
    reader->job->program = program_parse(reader->root, reader->diags);
    for (size_t i = 0; i < LENGTH(key_rows); i++) {
        const struct key_row *row = &key_rows[i];
        struct node *node = node_find(reader->root, row->key);
        if (node == NULL && row->needed != NULL)
            diag_add(reader->diags, DIAG_ERROR, "missing-key",
                     &reader->root->place,
                     "the job has no `%s`: add it, such as %s", row->key,
                     row->needed);
        if (node != NULL && row->read != NULL)
            row->read(reader, node);
    }
    read_settings(reader, settings, n_settings);
    settle_tunables(reader, &tune);
}

static void set_override(struct job_reader *reader, const char *text)
{
    const char *equal = strchr(text, '=');
    struct place place = {.file = "--set"};

    if (equal == NULL || equal == text) {
        diag_add(reader->diags, DIAG_ERROR, "bad-key", &place,
                 "`%s` sets nothing: write KEY=VALUE, such as "
                 "optimizer.miprov2.auto=medium",
                 text);
        return;
    }
    const char *key =
        arena_strndup(&reader->job->arena, text, (size_t)(equal - text));
    if (key == NULL)
        (void)job_reader_nomem(reader);
    else
        (void)yaml_set(&reader->job->arena, reader->root, key, equal + 1,
                       reader->diags);
}

// Reads the tree of the job file and applies the overrides. Returns false with
// findings.
static bool read_root(struct job_reader *reader, const char *const *overrides,
                      size_t n_overrides)
{
    const struct bundle_file *file = &reader->bundle->files[0];
    struct job *job = reader->job;

    reader->root = yaml_parse(&job->arena, job->path, file->data, file->len,
                              reader->diags);
    if (reader->root == NULL)
        return false;
    if (reader->root->kind == NODE_NULL) {
        diag_add(reader->diags, DIAG_ERROR, "empty", &reader->root->place,
                 "the job file is empty");
        diag_remedy(reader->diags,
                    "`promptcc init FOLDER` writes a job to start from");
        return false;
    }
    for (size_t i = 0; i < n_overrides; i++)
        set_override(reader, overrides[i]);
    return job_reader_map(
        reader, reader->root, "a job file",
        "name: my-job, with models, inputs, steps, data and metric");
}

struct job *job_load_checked(struct bundle *bundle,
                             const char *const *overrides, size_t n_overrides,
                             job_check_fn *check, struct diags *diags)
{
    size_t before = diags->errors;
    struct job_reader reader = {
        .job = job_new(bundle), .bundle = bundle, .diags = diags};

    if (reader.job == NULL) {
        diags->nomem = true;
        return NULL;
    }
    if (read_root(&reader, overrides, n_overrides)) {
        read_keys(&reader);
        job_check_stratify(&reader);
    }
    if (diags->errors == before && !diags->nomem)
        job_check_whole(&reader);
    if (diags->errors == before && !diags->nomem)
        return reader.job;
    if (check != NULL)
        check(reader.job, diags);
    job_free(reader.job);
    return NULL;
}

struct job *job_load(struct bundle *bundle, const char *const *overrides,
                     size_t n_overrides, struct diags *diags)
{
    return job_load_checked(bundle, overrides, n_overrides, NULL, diags);
}
