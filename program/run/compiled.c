#include "program/run/compiled.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "program/graph/kind.h"
#include "program/graph/type_form.h"
#include "program/run/compiled_name.h"

static const char *const simulated_warning =
    "The models of this run were simulated: scores and demos in this file say "
    "nothing of a real model.";

// ---- building values

// Sets a member, taking over value, which is NULL if it could not be made.
// Returns object, or NULL if this or an earlier member failed. So callers chain
// calls and check only the last result.
static json_t *with(json_t *object, const char *key, json_t *value)
{
    if (object == NULL) {
        json_decref(value);
        return NULL;
    }
    if (value == NULL || json_object_set_new(object, key, value) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *with_text(json_t *object, const char *key, const char *text)
{
    return with(object, key, json_string(text != NULL ? text : ""));
}

// Like `with`, but appends to a list.
static json_t *plus(json_t *list, json_t *value)
{
    if (list == NULL) {
        json_decref(value);
        return NULL;
    }
    if (value == NULL || json_array_append_new(list, value) != 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *buf_json(struct buf *text)
{
    json_t *value = text->failed ? NULL : json_stringn(text->data, text->len);

    if (!text->failed && text->len == 0)
        value = json_string("");
    buf_release(text);
    return value;
}

// ---- predictors

// DSPy shows a field's own type together with this text. The text replaces what
// its program says about the field, so it contains all that we know.
static json_t *description_json(const struct field *field)
{
    struct buf text = BUF_INIT(1 << 20);
    struct buf type = BUF_INIT(1 << 20);

    type_describe(&field->type, &type);
    buf_puts(&text, field->desc);
    if (type.len > 0) {
        buf_puts(&text, text.len > 0 ? " (" : "");
        buf_append(&text, type.data, type.len);
        buf_puts(&text, field->desc[0] != '\0' ? ")" : "");
    }
    if (text.len == 0)
        buf_printf(&text, "${%s}", field->name);
    text.failed = text.failed || type.failed;
    buf_release(&type);
    return buf_json(&text);
}

static json_t *with_fields(json_t *list, const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct buf prefix = BUF_INIT(1 << 16);
        json_t *entry = NULL;

        compiled_prefix(fields[i].name, &prefix);
        entry = with(json_object(), "prefix", buf_json(&prefix));
        entry = with(entry, "description", description_json(&fields[i]));
        list = plus(list, entry);
    }
    return list;
}

static json_t *signature_json(const struct signature *signature,
                              const char *instruction)
{
    json_t *fields = json_array();

    fields = with_fields(fields, signature->inputs, signature->n_inputs);
    fields = with_fields(fields, signature->outputs, signature->n_outputs);
    return with(with_text(json_object(), "instructions", instruction), "fields",
                fields);
}

static bool has_field(const struct field *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return true;
    }
    return false;
}

static json_t *with_values(json_t *object, const struct field *fields, size_t n,
                           const json_t *values)
{
    for (size_t i = 0; i < n; i++) {
        json_t *value = json_object_get(values, fields[i].name);

        if (value != NULL)
            object = with(object, fields[i].name, json_incref(value));
    }
    return object;
}

static json_t *demo_json(const struct signature *signature,
                         const struct demo *demo)
{
    json_t *object = json_object();
    bool taken =
        has_field(signature->inputs, signature->n_inputs, "augmented") ||
        has_field(signature->outputs, signature->n_outputs, "augmented");

    if (demo->augmented && !taken)
        object = with(object, "augmented", json_true());
    object = with_values(object, signature->inputs, signature->n_inputs,
                         demo->fields);
    return with_values(object, signature->outputs, signature->n_outputs,
                       demo->fields);
}

static json_t *demos_json(const struct signature *signature,
                          const struct candidate_part *part)
{
    json_t *demos = json_array();

    for (size_t i = 0; i < part->n_demos; i++)
        demos = plus(demos, demo_json(signature, &part->demos[i]));
    return demos;
}

// DSPy would not understand a pool as a list of demos, so it goes into the
// metadata.
static json_t *predictor_json(const struct signature *signature,
                              const struct candidate_part *part)
{
    json_t *demos =
        part->nearest > 0 ? json_array() : demos_json(signature, part);
    json_t *object = NULL;

    object = with(json_object(), "traces", json_array());
    object = with(object, "train", json_array());
    object = with(object, "demos", demos);
    object =
        with(object, "signature", signature_json(signature, part->instruction));
    return with(object, "lm", json_null());
}

static json_t *with_predictors(json_t *root, const struct program *program,
                               const struct candidate *candidate)
{
    for (size_t i = 0; i < program->n_predictors; i++) {
        const struct step *step = program_predictor(program, i);
        struct buf name = BUF_INIT(1 << 16);

        predictor_dspy_name(step, &name);
        if (name.failed)
            root = with(root, step->name, NULL);
        else
            root = with(root, name.data,
                        predictor_json(&step->signature, &candidate->parts[i]));
        buf_release(&name);
    }
    return root;
}

// ---- metadata

// Computes the settings of a role; for the student, with those of the winner.
static void role_settings(const struct job *job,
                          const struct candidate *candidate, enum role role,
                          struct settings *out)
{
    job_settings(job, role, out);
    settings_overlay(&candidate->settings,
                     role == ROLE_STUDENT ? SETTING_MODEL : SETTING_JOB, out);
}

static json_t *settings_json(const struct settings *settings,
                             enum setting_place place)
{
    json_t *object = json_object();

    if (object != NULL && settings_put(settings, place, object))
        return object;
    json_decref(object);
    return NULL;
}

static json_t *model_options(const struct job *job,
                             const struct candidate *candidate, enum role role)
{
    struct settings settings;

    if (role == ROLE_EMBED)
        return with(json_object(), "num_ctx",
                    json_integer(job->models[role].options.num_ctx));
    role_settings(job, candidate, role, &settings);
    return settings_json(&settings, SETTING_MODEL);
}

static json_t *models_json(const struct job *job,
                           const struct candidate *candidate,
                           const struct compiled_facts *facts)
{
    json_t *models = json_object();

    for (int i = 0; i < ROLE_COUNT; i++) {
        const struct job_model *model = &job->models[i];
        json_t *object;

        if (model->name == NULL)
            continue;
        object = with_text(json_object(), "name", model->name);
        object = with_text(object, "digest", facts->digests[i]);
        if (model->revision != NULL && model->revision[0] != '\0')
            object = with_text(object, "revision", model->revision);
        object = with(object, "options",
                      model_options(job, candidate, (enum role)i));
        models = with(models, role_names[i], object);
    }
    return models;
}

static json_t *unmeasured_json(const struct program *program,
                               const struct plan *plan)
{
    json_t *list = json_array();

    for (size_t i = 0; plan != NULL && i < program->n_predictors; i++) {
        if (!plan->runs[program->predictors[i]])
            list = plus(list, json_string(program_predictor(program, i)->name));
    }
    return list;
}

static json_t *adapter_remark(enum adapter adapter)
{
    return json_sprintf("adapter: these prompts were chosen under promptcc's "
                        "%s form; in DSPy configure %s",
                        adapter_names[adapter],
                        adapter == ADAPTER_JSON ? "dspy.JSONAdapter()"
                                                : "dspy.ChatAdapter()");
}

static json_t *options_remark(const struct call_options *options)
{
    struct buf text = BUF_INIT(1 << 10);

    buf_puts(&text, "options: set temperature ");
    json_t *temperature = json_real(options->temperature);
    json_put(&text, temperature);
    json_decref(temperature);
    buf_printf(&text,
               " and max_tokens %d on dspy.LM, and num_ctx %d on the "
               "model server",
               (int)options->num_predict, (int)options->num_ctx);
    return buf_json(&text);
}

// Lists what DSPy's load does not apply, so that its own program decides.
static json_t *not_applied_json(const struct job *job,
                                const struct settings *settings)
{
    const struct program *program = job->program;
    json_t *list = plus(json_array(), adapter_remark(settings->adapter));

    list = plus(list, options_remark(&settings->options));
    list = plus(list, json_string("limits: the limits of fields are shown to "
                                  "the model, but DSPy does not enforce them"));
    for (size_t i = 0; i < program->n_steps; i++) {
        const struct step *step = &program->steps[i];

        if (step->kind->dspy_remark != NULL)
            list = plus(list, json_sprintf("step %s: %s", step->name,
                                           step->kind->dspy_remark));
    }
    return list;
}

static bool has_pools(const struct candidate *candidate)
{
    for (size_t i = 0; i < candidate->n_parts; i++)
        if (candidate->parts[i].nearest > 0)
            return true;
    return false;
}

static json_t *with_pool_remarks(json_t *list, const struct program *program,
                                 const struct candidate *candidate)
{
    for (size_t i = 0; i < candidate->n_parts; i++) {
        if (candidate->parts[i].nearest == 0)
            continue;
        list = plus(
            list,
            json_sprintf("step %s: each prompt shows the %d demos of a pool "
                         "that are nearest to its input; DSPy's own load "
                         "leaves them out, and the step then has no demos. %s",
                         program_predictor(program, i)->name,
                         (int)candidate->parts[i].nearest,
                         program->pools_by == SEARCH_BY_EMBEDDINGS
                             ? "They are picked by embeddings, which promptcc "
                               "predict and serve do"
                             : "promptcc.load of the Python package picks "
                               "them"));
    }
    return list;
}

// Builds {"classify": {"nearest": 4, "demos": [...]}}.
static json_t *pools_json(const struct program *program,
                          const struct candidate *candidate)
{
    json_t *pools = json_object();

    for (size_t i = 0; i < candidate->n_parts; i++) {
        const struct step *step = program_predictor(program, i);
        const struct candidate_part *part = &candidate->parts[i];
        json_t *pool;

        if (part->nearest == 0)
            continue;
        pool = with(json_object(), "nearest",
                    json_integer((json_int_t)part->nearest));
        if (program->pools_by != SEARCH_BY_WORDS)
            pool = with_text(pool, "by", search_by_names[program->pools_by]);
        pools = with(pools, step->name,
                     with(pool, "demos", demos_json(&step->signature, part)));
    }
    return pools;
}

static json_t *with_members(json_t *object, json_t *members)
{
    if (object == NULL || members == NULL ||
        json_object_update(object, members) != 0) {
        json_decref(object);
        object = NULL;
    }
    json_decref(members);
    return object;
}

// Adds what the winner chose for the job's tunables, if anything.
static json_t *with_tuned(json_t *object, const struct candidate *candidate)
{
    json_t *tuned = candidate_tuned(candidate);

    if (tuned != NULL && json_object_size(tuned) == 0) {
        json_decref(tuned);
        return object;
    }
    return with(object, "tuned", tuned);
}

static json_t *facts_json(const struct job *job,
                          const struct candidate *candidate,
                          const struct compiled_facts *facts)
{
    bool pools = has_pools(candidate);
    bool near = pools && job->program->pools_by == SEARCH_BY_EMBEDDINGS;
    json_t *object = with(json_object(), "format",
                          json_integer(near    ? 3
                                       : pools ? 2
                                               : 1));
    struct settings settings;

    role_settings(job, candidate, ROLE_STUDENT, &settings);
    object = with_text(object, "version", PROMPTCC_VERSION);
    object = with_text(object, "name", job->name);
    object = with_text(object, "job", facts->job_id);
    object = with_text(object, "optimizer", facts->optimizer);
    object = with(object, "seed", json_integer(job->seed));
    object = with(object, "simulated", json_boolean(facts->simulated));
    if (facts->simulated)
        object = with_text(object, "warning", simulated_warning);
    object = with(object, "scores",
                  facts->scores != NULL ? json_incref((json_t *)facts->scores)
                                        : json_null());
    object = with(object, "models", models_json(job, candidate, facts));
    object = with_members(object, settings_json(&settings, SETTING_JOB));
    object = with_tuned(object, candidate);
    object = with(object, "program", program_json(job->program));
    object = with(object, "unmeasured_steps",
                  unmeasured_json(job->program, facts->plan));
    if (facts->ensemble != NULL)
        object =
            with(object, "ensemble", json_incref((json_t *)facts->ensemble));
    if (pools)
        object = with(object, "pools", pools_json(job->program, candidate));
    return with(object, "not_applied_by_dspy",
                with_pool_remarks(not_applied_json(job, &settings),
                                  job->program, candidate));
}

// DSPy warns if its own versions differ from these.
static json_t *metadata_json(const struct job *job,
                             const struct candidate *candidate,
                             const struct compiled_facts *facts)
{
    json_t *versions = with_text(json_object(), "python", "3.11");

    versions = with_text(versions, "dspy", "3.4.1");
    versions = with_text(versions, "cloudpickle", "3.1");
    return with(with(json_object(), "dependency_versions", versions),
                "promptcc", facts_json(job, candidate, facts));
}

bool compiled_write(const struct job *job, const struct candidate *candidate,
                    const struct compiled_facts *facts, struct buf *out,
                    struct err *err)
{
    json_t *root = with_predictors(json_object(), job->program, candidate);

    root = with(root, "metadata", metadata_json(job, candidate, facts));
    if (root == NULL) {
        err_nomem(err, "a compiled program");
        return false;
    }
    json_put_lines(out, root);
    buf_putc(out, '\n');
    json_decref(root);
    return buf_ok(out, "the compiled program", err);
}
