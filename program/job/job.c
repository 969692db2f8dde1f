#include "program/job/job.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/text.h"
#include "program/graph/search_spec.h"
#include "program/job/documents.h"
#include "program/job/tune.h"
#include "program/source/yaml.h"

enum { JOB_ARENA_MAX = 64 << 20, JOB_NAME_MAX = 64 };
enum { WINDOW_DEFAULT = 4, SEED_DEFAULT = 9, SPLIT_SEED_DEFAULT = 1 };
#define COUNT_MAX INT64_C(1000000000000000)
#define SEED_MAX INT64_C(9000000000000000)

// Room for a text that is embedded, where the job does not say it. It is always
// sent, since a server's own default depends on its machine; a server cuts it
// to what the model was trained with.
enum { EMBED_NUM_CTX = 8192 };

const char *const role_names[ROLE_COUNT] = {"student", "teacher", "judge",
                                            "embed"};

static const struct call_options options_default = {
    .num_ctx = 4096, .num_predict = 1000, .temperature = 0};

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

struct reader {
    struct job *job;
    struct bundle *bundle;
    struct node *root;
    struct diags *diags;
    struct job_model common; // what `models` says of all roles
};

static bool nomem(struct reader *reader)
{
    reader->diags->nomem = true;
    return false;
}

static bool is_map(struct reader *reader, const struct node *node,
                   const char *what, const char *example)
{
    if (node->kind == NODE_MAP)
        return true;
    diag_add(reader->diags, DIAG_ERROR, "wrong-value", &node->place,
             "%s must be a map, such as %s", what, example);
    return false;
}

// A text that is there and not empty, in the job's arena.
static bool read_text(struct reader *reader, const struct node *node,
                      const char *what, const char **out)
{
    const char *text = NULL;
    size_t len = 0;

    if (!node_text(node, what, &text, reader->diags))
        return false;
    text = text_trim(text, strlen(text), &len);
    if (len == 0) {
        diag_add(reader->diags, DIAG_ERROR, "wrong-value", &node->place,
                 "%s is empty", what);
        return false;
    }
    *out = arena_strndup(&reader->job->arena, text, len);
    return *out != NULL || nomem(reader);
}

// The name also starts the job's id, and so the names of files and commands.
static void read_name(struct reader *reader, const struct node *node)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ";
    const char *name = NULL;

    if (!read_text(reader, node, "`name`", &name))
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

static void read_description(struct reader *reader, const struct node *node)
{
    const char *text = NULL;

    if (node->kind == NODE_NULL)
        return;
    if (node_text(node, "`description`", &text, reader->diags)) {
        reader->job->description = arena_strdup(&reader->job->arena, text);
        if (reader->job->description == NULL)
            (void)nomem(reader);
    }
}

// Lays what node says over out.
static void read_options(struct reader *reader, const struct node *node,
                         const char *what, struct call_options *out)
{
    struct settings settings = {.options = *out};

    if (node == NULL || node->kind == NODE_NULL ||
        !is_map(reader, node, what, "options: {temperature: 0}"))
        return;
    (void)settings_parse(node, SETTING_MODEL, what, &settings, reader->diags);
    *out = settings.options;
}

// The keys of one role in `models`.
static const struct role_row {
    const char *name;
    const char *options;
    const char *revision;
} role_rows[ROLE_COUNT] = {
    {"student", "student_options", "student_revision"},
    {"teacher", "teacher_options", "teacher_revision"},
    {"judge", "judge_options", "judge_revision"},
    {"embed", "embed_options", "embed_revision"},
};

// A role without a model of its own is the role before it, with its options
// too: one model under two context sizes would be loaded again and again.
static void start_role(struct reader *reader, const struct node *models,
                       size_t role)
{
    struct job_model *model = &reader->job->models[role];
    const struct node *name = node_find(models, role_rows[role].name);

    if (name == NULL && role > 0) {
        *model = reader->job->models[role - 1];
        return;
    }
    *model = reader->common;
    if (name == NULL) {
        diag_add(reader->diags, DIAG_ERROR, "missing-key", &models->place,
                 "`models` has no `student`, the model that runs the program");
        return;
    }
    model->place = name->place;
    (void)read_text(reader, name, "the name of a model", &model->name);
}

static void read_role(struct reader *reader, const struct node *models,
                      size_t role)
{
    const struct role_row *row = &role_rows[role];
    struct job_model *model = &reader->job->models[role];
    const struct node *revision = node_find(models, row->revision);
    const struct node *options = node_find(models, row->options);
    size_t before = reader->diags->errors;

    start_role(reader, models, role);
    read_options(reader, options, row->options, &model->options);
    if (revision != NULL)
        (void)read_text(reader, revision, "a revision", &model->revision);
    bool own =
        role == 0 || options != NULL || node_find(models, row->name) != NULL;
    if (own && reader->diags->errors == before &&
        model->options.num_predict >= model->options.num_ctx) {
        diag_add(reader->diags, DIAG_ERROR, "options",
                 options == NULL ? &model->place : &options->place,
                 "`num_predict` %" PRId32 " of the %s leaves no room for a "
                 "prompt in `num_ctx` %" PRId32,
                 model->options.num_predict, row->name, model->options.num_ctx);
    }
}

// Of the options a model that embeds has its window alone.
static void read_embedder(struct reader *reader, const struct node *models)
{
    static const char *const keys[] = {"num_ctx"};
    const struct role_row *row = &role_rows[ROLE_EMBED];
    struct job_model *model = &reader->job->models[ROLE_EMBED];
    const struct node *name = node_find(models, row->name);
    const struct node *revision = node_find(models, row->revision);
    const struct node *options = node_find(models, row->options);

    if (name == NULL)
        return;
    model->place = name->place;
    model->revision = reader->common.revision;
    model->options =
        (struct call_options){.num_ctx = EMBED_NUM_CTX, .num_predict = 1};
    (void)read_text(reader, name, "the name of a model", &model->name);
    if (revision != NULL)
        (void)read_text(reader, revision, "a revision", &model->revision);
    if (options == NULL || options->kind == NODE_NULL)
        return;
    if (options->kind == NODE_MAP)
        node_only_keys(options, "`embed_options`", keys, LENGTH(keys),
                       reader->diags);
    read_options(reader, options, row->options, &model->options);
}

static void read_models(struct reader *reader, const struct node *node)
{
    const char *keys[2 + 3 * ROLE_COUNT] = {"options", "revision"};
    const struct node *revision = node_find(node, "revision");
    size_t n = 2;

    if (!is_map(reader, node, "`models`", "models: {student: llama3.2:3b}"))
        return;
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        keys[n++] = role_rows[i].name;
        keys[n++] = role_rows[i].options;
        keys[n++] = role_rows[i].revision;
    }
    node_only_keys(node, "`models`", keys, n, reader->diags);
    reader->common =
        (struct job_model){.options = options_default, .place = node->place};
    read_options(reader, node_find(node, "options"), "`options`",
                 &reader->common.options);
    if (revision != NULL)
        (void)read_text(reader, revision, "`revision`",
                        &reader->common.revision);
    for (size_t i = 0; i < ROLE_EMBED; i++)
        read_role(reader, node, i);
    read_embedder(reader, node);
}

// A file that the job names, in the bundle from here on.
static void read_file(struct reader *reader, const struct node *data,
                      const char *key, const char **out)
{
    const struct node *node = node_find(data, key);
    struct err err = ERR_CLEAR;

    if (node == NULL || !read_text(reader, node, "a file", out))
        return;
    if (bundle_get(reader->bundle, *out, &err) != NULL)
        return;
    if (err.code == ERR_NOMEM)
        (void)nomem(reader);
    else
        diag_add(reader->diags, DIAG_ERROR, "no-file", &node->place, "%s",
                 err.text);
    diag_remedy(reader->diags,
                "the names of files are relative to the job file");
}

static bool read_share(struct reader *reader, const struct node *split,
                       const char *key, bool may_be_none, double *out)
{
    const struct node *node = node_find(split, key);
    size_t before = reader->diags->errors;

    if (node == NULL && !may_be_none) {
        diag_add(reader->diags, DIAG_ERROR, "missing-key", &split->place,
                 "`split` has no share `%s`", key);
        return false;
    }
    *out = 0;
    if (node == NULL || !node_number(node, "a share", 0, 1, out, reader->diags))
        return reader->diags->errors == before;
    if (*out > 0 || may_be_none)
        return true;
    diag_add(reader->diags, DIAG_ERROR, "out-of-range", &node->place,
             "the share `%s` must be above 0", key);
    return false;
}

// All three default together: 0.4, 0.4, 0.2. Where one is given, train and
// val must be, and no test is none.
static void read_shares(struct reader *reader, const struct node *split)
{
    struct job_data *data = &reader->job->data;

    if (node_find(split, "train") == NULL && node_find(split, "val") == NULL &&
        node_find(split, "test") == NULL)
        return;
    bool ok = read_share(reader, split, "train", false, &data->train_share);
    ok = read_share(reader, split, "val", false, &data->val_share) && ok;
    ok = read_share(reader, split, "test", true, &data->test_share) && ok;
    double all = data->train_share + data->val_share + data->test_share;
    if (ok && all > 1 + 1e-9)
        diag_add(reader->diags, DIAG_ERROR, "shares", &split->place,
                 "the shares of `split` are %g together, more than 1", all);
}

static void read_split(struct reader *reader, const struct node *split)
{
    static const char *const keys[] = {"train",    "val",  "test",
                                       "stratify", "seed", "separate"};
    struct job_data *data = &reader->job->data;
    const struct node *stratify = node_find(split, "stratify");
    const struct node *seed = node_find(split, "seed");
    const struct node *separate = node_find(split, "separate");

    if (split == NULL || split->kind == NODE_NULL ||
        !is_map(reader, split, "`split`",
                "split: {train: 0.4, val: 0.4, test: 0.2}"))
        return;
    node_only_keys(split, "`split`", keys, LENGTH(keys), reader->diags);
    read_shares(reader, split);
    if (stratify != NULL)
        (void)read_text(reader, stratify, "`stratify`", &data->stratify);
    if (seed != NULL)
        (void)node_int(seed, "`seed`", 0, INT64_MAX, &data->seed,
                       reader->diags);
    if (separate != NULL)
        (void)node_bool(separate, "`separate`", &data->separate, reader->diags);
}

static void check_files(struct reader *reader, const struct node *node)
{
    const struct node *examples = node_find(node, "examples");
    const struct node *train = node_find(node, "train");

    if (examples == NULL && train == NULL)
        diag_add(reader->diags, DIAG_ERROR, "missing-key", &node->place,
                 "`data` names no file: give `examples`, or `train` and `val`");
    if (examples != NULL && train != NULL)
        diag_add(reader->diags, DIAG_ERROR, "two-files", &train->place,
                 "`data` has both `examples` and `train`: give one file to "
                 "split, or files of their own");
}

static void read_data(struct reader *reader, const struct node *node)
{
    static const char *const keys[] = {"examples", "train", "val", "test",
                                       "split"};
    struct job_data *data = &reader->job->data;

    if (!is_map(reader, node, "`data`", "data: {examples: examples.jsonl}"))
        return;
    data->place = node->place;
    node_only_keys(node, "`data`", keys, LENGTH(keys), reader->diags);
    check_files(reader, node);
    read_file(reader, node, "examples", &data->examples);
    read_file(reader, node, "train", &data->train);
    read_file(reader, node, "val", &data->val);
    read_file(reader, node, "test", &data->test);
    read_split(reader, node_find(node, "split"));
}

static void read_optimizer_seed(struct reader *reader,
                                const struct node *params)
{
    const struct node *seed = node_find(params, "seed");

    if (seed != NULL)
        (void)node_int(seed, "`seed`", 0, SEED_MAX, &reader->job->seed,
                       reader->diags);
}

// NAME, or {NAME: parameters}. Whether there is such an optimizer and what
// its parameters are is known to the optimizers.
static void read_optimizer(struct reader *reader, const struct node *node)
{
    struct job *job = reader->job;

    job->optimizer_place = node->place;
    if (node->kind == NODE_SCALAR) {
        (void)read_text(reader, node, "`optimizer`", &job->optimizer);
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
        !is_map(reader, params, "`optimizer`",
                "optimizer: {miprov2: {auto: light}}"))
        return;
    job->optimizer_node = params;
    read_optimizer_seed(reader, params);
}

static void read_max_time(struct reader *reader, const struct node *node)
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

static void read_budget(struct reader *reader, const struct node *node)
{
    static const char *const keys[] = {"max_calls", "max_tokens", "max_time"};
    struct job_budget *budget = &reader->job->budget;
    const struct node *calls = node_find(node, "max_calls");
    const struct node *tokens = node_find(node, "max_tokens");
    const struct node *max_time = node_find(node, "max_time");

    if (node->kind == NODE_NULL ||
        !is_map(reader, node, "`budget`", "budget: {max_calls: 2000}"))
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

static void read_window(struct reader *reader, const struct node *node)
{
    (void)node_int(node, "`window`", 1, 1024, &reader->job->window,
                   reader->diags);
}

// The settings that stand at the top. `adapter: auto` is what a job without
// one means.
static void read_settings(struct reader *reader, const char *const *names,
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

static void add_nearest(struct reader *reader, const struct node *node)
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

// A number, or several to try: {tune: [4, 8]}. That none is taken is always a
// choice, and where the search begins.
static void read_nearest(struct reader *reader, const struct node *node)
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

static void read_demos(struct reader *reader, const struct node *node)
{
    static const char *const keys[] = {"count", "nearest", "by"};
    const struct node *count = node_find(node, "count");
    const struct node *nearest = node_find(node, "nearest");
    const struct node *by = node_find(node, "by");
    size_t choice = SEARCH_BY_WORDS;

    if (node->kind == NODE_NULL ||
        !is_map(reader, node, "`demos`", "demos: {count: 8}"))
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

static void read_skipped_steps(struct reader *reader, const struct node *node)
{
    static const char *const names[] = {"bootstrap", "leave", NULL};
    size_t choice = 0;

    (void)node_choice(node, "`skipped_steps`", names, &choice, reader->diags);
    reader->job->bootstrap_skipped = choice == 0;
}

static void read_max_prompt_tokens(struct reader *reader,
                                   const struct node *node)
{
    (void)node_int(node, "`max_prompt_tokens`", 1, 16 << 20,
                   &reader->job->max_prompt_tokens, reader->diags);
}

static void read_from(struct reader *reader, const struct node *node)
{
    reader->job->from_place = node->place;
    (void)read_text(reader, node, "`from`", &reader->job->from);
}

static void read_skip_bad(struct reader *reader, const struct node *node)
{
    (void)node_bool(node, "`skip_bad`", &reader->job->skip_bad, reader->diags);
}

static void read_metric(struct reader *reader, const struct node *node)
{
    struct job *job = reader->job;

    if (job->program == NULL)
        metric_check(&job->arena, node, reader->diags);
    else
        job->metric =
            metric_parse(&job->arena, node, job->program, reader->diags);
}

// The keys at the top, beside those of settings.c (read_settings). inputs,
// steps and outputs are read by program_parse, which says so itself when they
// are missing; the metric needs the program and comes after it.
static const struct key_row {
    const char *key;
    const char *needed; // an example, for those that every job has
    void (*read)(struct reader *, const struct node *);
} key_rows[] = {
    {"name", "name: my-job", read_name},
    {"description", NULL, read_description},
    {"models", "models: {student: llama3.2:3b}", read_models},
    {"inputs", NULL, NULL},
    {"steps", NULL, NULL},
    {"outputs", NULL, NULL},
    {"data", "data: {examples: examples.jsonl}", read_data},
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

// A tuned number of demos is no limit but the largest choice.
static void settle_tunables(struct reader *reader, const struct tune *tune)
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

static void read_keys(struct reader *reader)
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

// A label to balance is an output as a rule, but may be a further column of
// the examples: only what looks like a slip is refused.
static void check_stratify(struct reader *reader)
{
    const struct job *job = reader->job;
    const char *names[2 * PROGRAM_MAX_FIELDS];
    const struct node *data = node_find(reader->root, "data");
    const struct node *node = node_find(node_find(data, "split"), "stratify");
    size_t n = 0;

    if (job->program == NULL || job->data.stratify == NULL)
        return;
    for (size_t i = 0; i < job->program->n_outputs; i++)
        names[n++] = job->program->outputs[i].name;
    for (size_t i = 0; i < job->program->n_inputs; i++)
        names[n++] = job->program->inputs[i].name;
    const char *nearest = text_nearest(job->data.stratify, names, n);
    if (nearest == NULL || strcmp(nearest, job->data.stratify) == 0)
        return;
    diag_add(reader->diags, DIAG_ERROR, "unknown-name", &node->place,
             "the program has no output `%s`, did you mean `%s`?",
             job->data.stratify, nearest);
}

static void set_override(struct reader *reader, const char *text)
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
        (void)nomem(reader);
    else
        (void)yaml_set(&reader->job->arena, reader->root, key, equal + 1,
                       reader->diags);
}

static struct job *job_new(const struct bundle *bundle)
{
    struct job *job = calloc(1, sizeof *job);

    if (job == NULL)
        return NULL;
    job->arena = ARENA_INIT(JOB_ARENA_MAX);
    job->path = arena_strdup(&job->arena, bundle->path);
    job->description = "";
    job->data = (struct job_data){.train_share = 0.4,
                                  .val_share = 0.4,
                                  .test_share = 0.2,
                                  .seed = SPLIT_SEED_DEFAULT};
    job->optimizer = "screen_and_race";
    job->seed = SEED_DEFAULT;
    job->window = WINDOW_DEFAULT;
    job->bootstrap_skipped = true;
    job->adapter_auto = true;
    settings_say_all(&job->settings);
    if (job->path != NULL)
        return job;
    job_free(job);
    return NULL;
}

void job_settings(const struct job *job, enum role role, struct settings *out)
{
    *out = job->settings;
    out->options = job->models[role].options;
    settings_say_all(out);
}

void job_free(struct job *job)
{
    if (job == NULL)
        return;
    if (job->metric != NULL)
        metric_release(job->metric);
    program_free(job->program);
    tunables_release(&job->tunables);
    arena_release(&job->arena);
    free(job);
}

// The tree of the job file with the overrides set. False with findings.
static bool read_root(struct reader *reader, const char *const *overrides,
                      size_t n_overrides)
{
    const struct bundle_file *file = &reader->bundle->files[0];
    struct job *job = reader->job;

    reader->root = yaml_parse(&job->arena, job->path, file->data, file->len,
                              reader->diags);
    if (reader->root == NULL)
        return false;
    if (reader->root->kind == NODE_NULL)
        reader->root->kind = NODE_MAP; // an empty file lacks all keys
    for (size_t i = 0; i < n_overrides; i++)
        set_override(reader, overrides[i]);
    return is_map(reader, reader->root, "a job file",
                  "name: my-job, with models, inputs, steps, data and metric");
}

static bool step_embeds(const struct job *job, int step)
{
    const struct step *at = &job->program->steps[step];
    bool embeds =
        at->search != NULL && search_by(at, NULL) == SEARCH_BY_EMBEDDINGS;

    for (size_t t = 0; t < job->tunables.n; t++)
        embeds = embeds || (job->tunables.items[t].step == step &&
                            strcmp(job->tunables.items[t].key, "by") == 0);
    return embeds;
}

bool job_embeds(const struct job *job)
{
    if (job->program->pools_by == SEARCH_BY_EMBEDDINGS)
        return true;
    for (size_t i = 0; i < job->program->n_steps; i++)
        if (step_embeds(job, (int)i))
            return true;
    return false;
}

// Who searches by embeddings says whose.
static void check_embedder(struct reader *reader)
{
    const struct job *job = reader->job;
    const struct program *program = job->program;
    const struct job_model *model = &job->models[ROLE_EMBED];
    const struct node *demos = node_find(reader->root, "demos");
    size_t i = 0;

    while (i < program->n_steps && !step_embeds(job, (int)i))
        i++;
    if (!job_embeds(job) && model->name != NULL) {
        diag_add(reader->diags, DIAG_WARNING, "not-used", &model->place,
                 "nothing is searched by embeddings, so `embed` is not used");
        diag_remedy(reader->diags,
                    "write `by: embeddings` in a retrieve step or in `demos`, "
                    "or leave `embed` out");
    }
    if (!job_embeds(job) || model->name != NULL)
        return;
    if (i < program->n_steps)
        diag_add(reader->diags, DIAG_ERROR, "missing-key",
                 &program->steps[i].place,
                 "step `%s` searches by embeddings, and `models` has no "
                 "`embed`, the model that makes them",
                 program->steps[i].name);
    else
        diag_add(reader->diags, DIAG_ERROR, "missing-key", &demos->place,
                 "demos are picked by embeddings, and `models` has no `embed`, "
                 "the model that makes them");
    diag_remedy(reader->diags, "name one, such as models: {embed: all-minilm}");
}

static bool check_tuned_fields(const struct tunable *tunable, int step,
                               const json_t *documents, struct err *err)
{
    bool ok = true;

    if (tunable->step != step || strcmp(tunable->key, "fields") != 0)
        return true;
    for (size_t i = 0; ok && i < tunable->n_choices; i++)
        ok = documents_check_fields(documents, tunable->choices[i], err);
    return ok;
}

// Documents are part of the job: they are read here once, so that a mistake in
// them is found before a run, and so that they go along with a submission.
static void check_documents(struct reader *reader)
{
    const struct program *program = reader->job->program;

    for (size_t i = 0; i < program->n_steps; i++) {
        const struct search_spec *spec = program->steps[i].search;
        const struct node *step =
            node_find(node_find(reader->root, "steps"), program->steps[i].name);
        const struct node *fields = node_find(step, "fields");
        json_t *documents = NULL;
        struct err err = ERR_CLEAR;
        bool ok = true;

        if (spec == NULL)
            continue;
        documents = documents_read(reader->bundle, spec->documents, &err);
        ok = documents != NULL &&
             documents_check_fields(documents, spec->fields, &err);
        for (size_t t = 0; ok && t < reader->job->tunables.n; t++)
            ok = check_tuned_fields(&reader->job->tunables.items[t], (int)i,
                                    documents, &err);
        if (err.code == ERR_NOMEM)
            (void)nomem(reader);
        else if (!ok)
            diag_add(reader->diags, DIAG_ERROR, "documents",
                     documents != NULL && fields != NULL
                         ? &fields->place
                         : &node_find(step, "retrieve")->place,
                     "%s", err.text);
        json_decref(documents);
    }
}

static void fetch_commands(struct reader *reader)
{
    struct err err = ERR_CLEAR;

    if (job_fetch_commands(reader->job, reader->bundle, &err))
        return;
    if (err.code == ERR_NOMEM)
        reader->diags->nomem = true;
    else
        diag_add(reader->diags, DIAG_ERROR, "too-large", &reader->root->place,
                 "%s", err.text);
}

struct job *job_load_checked(struct bundle *bundle,
                             const char *const *overrides, size_t n_overrides,
                             job_check_fn *check, struct diags *diags)
{
    size_t before = diags->errors;
    struct reader reader = {
        .job = job_new(bundle), .bundle = bundle, .diags = diags};

    if (reader.job == NULL) {
        diags->nomem = true;
        return NULL;
    }
    if (read_root(&reader, overrides, n_overrides)) {
        read_keys(&reader);
        check_stratify(&reader);
    }
    if (diags->errors == before && !diags->nomem)
        fetch_commands(&reader);
    if (diags->errors == before && !diags->nomem)
        check_embedder(&reader);
    if (diags->errors == before && !diags->nomem)
        check_documents(&reader);
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
