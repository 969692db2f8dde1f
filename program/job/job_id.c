#include "program/job/job.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "program/job/documents.h"

// What identifies a job: its canonical form and the hash of it.

enum { CANONICAL_MAX = 32 << 20, SLUG_MAX = 128, ID_HEX = 12 };

// Sets key unless json has failed before; takes value.
static void set_new(json_t **json, const char *key, json_t *value)
{
    if (*json == NULL) {
        json_decref(value);
    } else if (json_object_set_new(*json, key, value) != 0) {
        json_decref(*json);
        *json = NULL;
    }
}

static void set_text(json_t **json, const char *key, const char *text)
{
    if (text != NULL)
        set_new(json, key, json_string(text));
}

static json_t *options_json(const struct job *job, enum role role)
{
    json_t *json = json_object();
    struct settings settings;

    if (role == ROLE_EMBED) {
        set_new(&json, "num_ctx",
                json_integer(job->models[role].options.num_ctx));
        return json;
    }
    job_settings(job, role, &settings);
    if (json != NULL && settings_put(&settings, SETTING_MODEL, json))
        return json;
    json_decref(json);
    return NULL;
}

static json_t *models_json(const struct job *job)
{
    json_t *json = json_object();
    char key[32];

    for (size_t i = 0; i < ROLE_COUNT; i++) {
        const struct job_model *model = &job->models[i];

        if (model->name == NULL)
            continue;
        (void)snprintf(key, sizeof key, "%s_options", role_names[i]);
        set_text(&json, role_names[i], model->name);
        set_new(&json, key, options_json(job, (enum role)i));
        (void)snprintf(key, sizeof key, "%s_revision", role_names[i]);
        set_text(&json, key, model->revision);
    }
    return json;
}

static json_t *data_json(const struct job_data *data)
{
    json_t *json = json_object();
    json_t *split = json_object();

    set_text(&json, "examples", data->examples);
    set_text(&json, "train", data->train);
    set_text(&json, "val", data->val);
    set_text(&json, "test", data->test);
    set_new(&split, "train", json_real(data->train_share));
    set_new(&split, "val", json_real(data->val_share));
    set_new(&split, "test", json_real(data->test_share));
    set_text(&split, "stratify", data->stratify);
    set_new(&split, "seed", json_integer(data->seed));
    set_new(&split, "separate", json_boolean(data->separate));
    set_new(&json, "split", split);
    return json;
}

static json_t *optimizer_json(const struct job *job)
{
    json_t *json = json_object();
    json_t *params = job->optimizer_node == NULL
                         ? json_object()
                         : node_json(job->optimizer_node);

    set_new(&params, "seed", json_integer(job->seed));
    set_new(&json, job->optimizer, params);
    return json;
}

static json_t *demos_json(const struct job *job)
{
    json_t *json = json_object();
    json_t *nearest = json_array();

    for (size_t i = 0; i < job->n_nearest; i++)
        json_array_append_new(nearest, json_integer(job->nearest[i]));
    if (job->limits_demos)
        set_new(&json, "count", json_integer(job->max_demos));
    if (job->n_nearest > 0)
        set_new(&json, "nearest", json_pack("{s:O}", "tune", nearest));
    if (job->program->pools_by != SEARCH_BY_WORDS)
        set_text(&json, "by", search_by_names[job->program->pools_by]);
    json_decref(nearest);
    return json;
}

// Returns the object that contains the value of a tunable, and the key of the
// value in it.
static json_t *place_of(json_t *json, const struct job *job,
                        const struct tunable *tunable, const char **key)
{
    *key = tunable->key != NULL ? tunable->key : tunable->name;
    if (tunable->counts_demos)
        return json_object_get(json, "demos");
    if (tunable->step >= 0)
        return json_object_get(json_object_get(json, "steps"),
                               job->program->steps[tunable->step].name);
    if (json_object_get(json, *key) != NULL)
        return json;
    return json_object_get(json_object_get(json, "models"), "student_options");
}

static json_t *tunable_json(const struct tunable *tunable)
{
    json_t *choices = json_array();
    bool ok = choices != NULL;

    for (size_t i = 0; ok && i < tunable->n_choices; i++)
        ok = json_array_append(choices, (json_t *)tunable->choices[i]) == 0;
    if (!ok) {
        json_decref(choices);
        return NULL;
    }
    return json_pack("{s:o, s:O}", "tune", choices, "default",
                     tunable->choices[tunable->default_index]);
}

// Puts the lists back where the job file has them.
static void put_tunables(json_t **json, const struct job *job)
{
    for (size_t i = 0; *json != NULL && i < job->tunables.n; i++) {
        const struct tunable *one = &job->tunables.items[i];
        const char *key = NULL;
        json_t *place = place_of(*json, job, one, &key);

        if (json_object_set_new(place, key, tunable_json(one)) == 0)
            continue;
        json_decref(*json);
        *json = NULL;
    }
}

json_t *job_canonical(const struct job *job)
{
    json_t *json = json_object();
    json_t *program = program_json(job->program);

    set_text(&json, "name", job->name);
    set_new(&json, "models", models_json(job));
    if (json != NULL &&
        (program == NULL || json_object_update(json, program) != 0)) {
        json_decref(json);
        json = NULL;
    }
    json_decref(program);
    set_new(&json, "data", data_json(&job->data));
    set_new(&json, "metric", metric_json(job->metric));
    set_new(&json, "optimizer", optimizer_json(job));
    if (job->limits_demos || job->n_nearest > 0)
        set_new(&json, "demos", demos_json(job));
    set_new(&json, "window", json_integer(job->window));
    if (!settings_put(&job->settings, SETTING_JOB, json)) {
        json_decref(json);
        json = NULL;
    }
    if (job->adapter_auto)
        set_text(&json, "adapter", "auto");
    set_new(&json, "skipped_steps",
            json_string(job->bootstrap_skipped ? "bootstrap" : "leave"));
    set_new(&json, "skip_bad", json_boolean(job->skip_bad));
    if (job->max_prompt_tokens > 0)
        set_new(&json, "max_prompt_tokens",
                json_integer(job->max_prompt_tokens));
    if (job->from != NULL)
        set_text(&json, "from", job->from);
    put_tunables(&json, job);
    return json;
}

// Hashes only the files that the job names as its data or in commands: by now a
// bundle may contain others, such as those that `eval --data` scored.
static void hash_data(struct hasher *hasher, const struct job *job,
                      const struct bundle *bundle)
{
    const char *const names[] = {job->data.examples, job->data.train,
                                 job->data.val, job->data.test, job->from};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct bundle_file *file =
            names[i] == NULL ? NULL : bundle_find(bundle, names[i]);
        if (i == 4 && names[i] == NULL)
            continue; // so that jobs without it keep their ids
        hasher_add_text(hasher, names[i]);
        hasher_add(hasher, file == NULL ? "" : file->data,
                   file == NULL ? 0 : file->len);
    }
    job_hash_commands(job, bundle, hasher);
    documents_hash(job->program, bundle, hasher);
}

static bool hash_job(const struct job *job, const struct bundle *bundle,
                     bool simulated, char hex[HASH_HEX])
{
    struct buf text = BUF_INIT(CANONICAL_MAX);
    json_t *canonical = job_canonical(job);
    struct hasher hasher;

    json_put_sorted(&text, canonical);
    json_decref(canonical);
    bool ok = !text.failed;
    if (ok) {
        hasher_init(&hasher, "job");
        hasher_add_int(&hasher, REPLAY_VERSION);
        hasher_add_int(&hasher, simulated);
        hasher_add(&hasher, text.data, text.len);
        hash_data(&hasher, job, bundle);
        struct hash hash = hasher_end(&hasher);
        hash_hex(&hash, hex);
    }
    buf_release(&text);
    return ok;
}

// Appends letters in lower case and digits; any other run of characters becomes
// one dash.
static void put_slug(const char *name, struct buf *out)
{
    for (; *name != '\0'; name++) {
        char c = *name;
        bool upper = c >= 'A' && c <= 'Z';
        if (upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            buf_putc(out, upper ? (char)(c - 'A' + 'a') : c);
        else if (out->len > 0 && out->data[out->len - 1] != '-')
            buf_putc(out, '-');
    }
    if (out->len > 0 && out->data[out->len - 1] != '-')
        buf_putc(out, '-');
}

char *job_id(const struct job *job, const struct bundle *bundle, bool simulated)
{
    struct buf id = BUF_INIT(SLUG_MAX);
    char hex[HASH_HEX];

    if (!hash_job(job, bundle, simulated, hex))
        return NULL;
    put_slug(job->name, &id);
    buf_append(&id, hex, ID_HEX);
    if (id.failed) {
        buf_release(&id);
        return NULL;
    }
    return buf_take(&id);
}
