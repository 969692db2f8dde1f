#include <inttypes.h>
#include <string.h>

#include "common/text.h"
#include "program/job/job_reader.h"

// The context for embedding a text if the job does not set one. It is always
// sent, since a server's own default depends on its machine; servers reduce it
// to the model's training context.
enum { EMBED_NUM_CTX = 8192 };

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static const struct call_options options_default = {
    .num_ctx = 4096, .num_predict = 1000, .temperature = 0};

// Reads the options in node over those in `out`.
static void read_options(struct job_reader *reader, const struct node *node,
                         const char *what, struct call_options *out)
{
    struct settings settings = {.options = *out};

    if (node == NULL || node->kind == NODE_NULL ||
        !job_reader_map(reader, node, what, "options: {temperature: 0}"))
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

// Reads the name of a model. A name with the typographic characters of a word
// processor exists on no server.
static void read_model_name(struct job_reader *reader, const struct node *node,
                            const char **out)
{
    size_t at = 0;

    if (!job_reader_text(reader, node, "the name of a model", out))
        return;
    const char *look = text_lookalike(*out, strlen(*out), &at);
    if (look != NULL)
        diag_add(reader->diags, DIAG_ERROR, "wrong-value", &node->place,
                 "the name of a model, `%s`, contains %s: replace it with a "
                 "plain one, or remove it",
                 *out, look);
}

// A role without a model takes that of the role before it, including its
// options: one model with two context sizes would be loaded again and again.
static void start_role(struct job_reader *reader, const struct node *models,
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
    read_model_name(reader, name, &model->name);
}

static void read_role(struct job_reader *reader, const struct node *models,
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
        (void)job_reader_text(reader, revision, "a revision", &model->revision);
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

// The only option of a model that embeds is its context.
static void read_embedder(struct job_reader *reader, const struct node *models)
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
    read_model_name(reader, name, &model->name);
    if (revision != NULL)
        (void)job_reader_text(reader, revision, "a revision", &model->revision);
    if (options == NULL || options->kind == NODE_NULL)
        return;
    if (options->kind == NODE_MAP)
        node_only_keys(options, "`embed_options`", keys, LENGTH(keys),
                       reader->diags);
    read_options(reader, options, row->options, &model->options);
}

void job_read_models(struct job_reader *reader, const struct node *node)
{
    const char *keys[2 + 3 * ROLE_COUNT] = {"options", "revision"};
    const struct node *revision = node_find(node, "revision");
    size_t n = 2;

    if (!job_reader_map(reader, node, "`models`",
                        "models: {student: llama3.2:3b}"))
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
        (void)job_reader_text(reader, revision, "`revision`",
                              &reader->common.revision);
    for (size_t i = 0; i < ROLE_EMBED; i++)
        read_role(reader, node, i);
    read_embedder(reader, node);
}
