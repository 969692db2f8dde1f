#include "program/run/ensemble.h"

#include <stdio.h>

#include "common/hash.h"
#include "common/json.h"

enum { ID_BYTES = 128 };

struct work {
    struct ensemble_members members;
    const struct ensemble_options *options; // borrowed
    struct err *err;
};

static bool set_values(const struct work *work, size_t member,
                       struct candidate *candidate)
{
    const struct candidate *from =
        work->members.items[member].compiled->candidate;
    const char *key;
    json_t *value;

    json_object_foreach(from->values, key, value) {
        json_t *name = ensemble_source_json(
            work->members.items[member].compiled->program, key, member);
        bool ok = name != NULL &&
                  candidate_set_value(candidate, json_string_value(name), value,
                                      work->err);

        json_decref(name);
        if (!ok)
            return false;
    }
    return true;
}

// Collects the prompts of all members, in the order of the program's steps.
static struct candidate *gather(const struct work *work,
                                const struct program *program)
{
    struct candidate *candidate = candidate_new(program, work->err);
    size_t at = 0;
    bool ok = candidate != NULL;

    for (size_t m = 0; ok && m < work->members.n; m++) {
        const struct candidate *from =
            work->members.items[m].compiled->candidate;

        for (size_t p = 0; ok && p < from->n_parts; p++)
            ok =
                candidate_set_part(candidate, at++, &from->parts[p], work->err);
        ok = ok && set_values(work, m, candidate);
    }
    if (ok) {
        candidate_seal(candidate);
        return candidate;
    }
    candidate_unref(candidate);
    return NULL;
}

static json_t *about_json(const struct work *work)
{
    json_t *members = json_array();
    json_t *about = NULL;
    bool ok = members != NULL;

    for (size_t m = 0; ok && m < work->members.n; m++) {
        const struct compiled *one = work->members.items[m].compiled;
        double score = ensemble_member_score(&work->members.items[m]);

        ok = json_array_append_new(
                 members,
                 json_pack("{s:s, s:s, s:o}", "job", one->job_id, "optimizer",
                           json_get_text(one->metadata, "optimizer", ""),
                           "score",
                           score < 0 ? json_null() : json_real(score))) == 0;
    }
    if (ok)
        about = json_pack("{s:s, s:O}", "reduce_fn",
                          ensemble_reduce_names[work->options->reduce],
                          "members", members);
    json_decref(members);
    if (about == NULL)
        err_nomem(work->err, "an ensemble");
    return about;
}

// Writes NAME-HASH, like the id of a job, with a hash over the members.
static void put_id(const struct work *work, const struct candidate *candidate,
                   const char *name, char out[ID_BYTES])
{
    struct hasher hasher;
    char hex[HASH_HEX];

    hasher_init(&hasher, "ensemble");
    for (size_t m = 0; m < work->members.n; m++)
        hasher_add_text(&hasher, work->members.items[m].compiled->job_id);
    hasher_add_hash(&hasher, &candidate->id);
    struct hash id = hasher_end(&hasher);
    hash_hex(&id, hex);
    (void)snprintf(out, ID_BYTES, "%.100s-%.12s", name, hex);
}

static void fill_embedder(const struct work *work, struct job *job,
                          struct compiled_facts *facts)
{
    const struct compiled *from = ensemble_members_embedder(&work->members);
    const json_t *model =
        json_object_get(json_object_get(from->metadata, "models"), "embed");

    facts->digests[ROLE_EMBED] = from->embed_digest;
    if (from->embed_model[0] == '\0')
        return;
    job->models[ROLE_EMBED] =
        (struct job_model){.name = from->embed_model,
                           .revision = json_get_text(model, "revision", ""),
                           .options = {.num_ctx = from->embed_num_ctx}};
}

// Fills in what compiled_write needs to know about the job, from the first
// member.
static bool fill_job(const struct work *work, struct program *program,
                     struct job *job, struct compiled_facts *facts)
{
    const struct compiled *first = work->members.items[0].compiled;
    const json_t *models = json_object_get(first->metadata, "models");

    job->name = json_get_text(first->metadata, "name", "ensemble");
    job->seed = json_get_int(first->metadata, "seed", 0);
    job->program = program;
    program->pools_by = ensemble_members_pools_by(&work->members);
    job->settings = first->settings;
    fill_embedder(work, job, facts);
    for (int r = 0; r < ROLE_EMBED; r++) {
        const json_t *model = json_object_get(models, role_names[r]);
        struct settings settings = first->settings;

        if (!settings_read(json_object_get(model, "options"), SETTING_MODEL,
                           &settings, work->err))
            return false;
        job->models[r].name = json_get_text(model, "name", first->model);
        job->models[r].revision = json_get_text(model, "revision", "");
        job->models[r].options = settings.options;
        facts->digests[r] = json_get_text(model, "digest", "");
    }
    return true;
}

static bool write_file(const struct work *work, struct program *program,
                       struct buf *out)
{
    struct candidate *candidate = gather(work, program);
    json_t *about = about_json(work);
    struct job job = {0};
    char id[ID_BYTES];
    struct compiled_facts facts = {
        .job_id = id,
        .optimizer = "ensemble",
        .simulated = ensemble_members_any_simulated(&work->members),
        .ensemble = about};
    bool ok = candidate != NULL && about != NULL &&
              fill_job(work, program, &job, &facts);

    if (ok) {
        put_id(work, candidate, job.name, id);
        ok = compiled_write(&job, candidate, &facts, out, work->err);
    }
    candidate_unref(candidate);
    json_decref(about);
    return ok;
}

bool ensemble_write(const struct ensemble_member *members, size_t n,
                    const struct ensemble_options *options, struct buf *out,
                    struct err *err)
{
    struct work work = {.options = options, .err = err};
    struct program *program = NULL;
    json_t *whole = NULL;
    bool ok = false;

    if (ensemble_members_choose(members, n, options->size, &work.members, err))
        whole = ensemble_program_json(&work.members, options, err);
    if (whole != NULL)
        program = program_of_json(whole, "the ensemble", err);
    json_decref(whole);
    ok = program != NULL && write_file(&work, program, out);
    program_free(program);
    return ok;
}

bool ensemble_is(const struct compiled *compiled)
{
    return json_object_get(compiled->metadata, "ensemble") != NULL;
}
