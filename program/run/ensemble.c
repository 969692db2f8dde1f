#include "program/run/ensemble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/json.h"
#include "program/graph/kind.h"
#include "program/graph/type_form.h"

const char *const ensemble_reduce_names[] = {"majority", "judge", NULL};

enum { NAME_BYTES = 1 << 10, ID_BYTES = 128 };

static const char judge_instruction[] =
    "Say which of the answers is the best one: the one that is right, and does "
    "what the descriptions of its fields ask for.";

struct work {
    const struct ensemble_member *members[ENSEMBLE_MOST]; // those that stay
    size_t n;
    const struct ensemble_options *options;
    struct program *first; // whose inputs and outputs all have
    struct err *err;
};

static bool nomem(const struct work *work)
{
    err_nomem(work->err, "an ensemble");
    return false;
}

// --- which members, and whether they go together ---

static double score_of(const struct ensemble_member *member)
{
    const json_t *scores =
        json_object_get(member->compiled->metadata, "scores");

    return json_get_number(json_object_get(scores, "compiled"), "score", -1);
}

static size_t count_better(const struct ensemble_member *members, size_t n,
                           size_t of)
{
    size_t better = 0;

    for (size_t i = 0; i < n; i++)
        better += score_of(&members[i]) > score_of(&members[of]) ||
                  (score_of(&members[i]) == score_of(&members[of]) && i < of);
    return better;
}

static bool choose_members(struct work *work,
                           const struct ensemble_member *members, size_t n)
{
    size_t most = work->options->size > 0 && work->options->size < n
                      ? work->options->size
                      : n;

    if (most < 2 || most > ENSEMBLE_MOST) {
        err_set(work->err, ERR_INPUT,
                "an ensemble has from 2 to %d compiled programs, not %zu",
                ENSEMBLE_MOST, most);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (count_better(members, n, i) < most)
            work->members[work->n++] = &members[i];
    work->first = work->members[0]->compiled->program;
    return true;
}

static bool differs(const struct work *work, size_t i, const char *what)
{
    err_set(work->err, ERR_INPUT,
            "%.80s and %.80s differ in %s: all members of an ensemble ask the "
            "same model in the same way",
            work->members[0]->path, work->members[i]->path, what);
    return false;
}

static bool has_pool(const struct compiled *member)
{
    for (size_t p = 0; p < member->candidate->n_parts; p++)
        if (member->candidate->parts[p].nearest > 0)
            return true;
    return false;
}

// How the demos of pools are picked: as the first member does that has any.
static enum search_by pools_of(const struct work *work)
{
    for (size_t m = 0; m < work->n; m++)
        if (has_pool(work->members[m]->compiled))
            return work->members[m]->compiled->program->pools_by;
    return SEARCH_BY_WORDS;
}

// The first member that searches by embeddings, or the first.
static const struct compiled *embedder_of(const struct work *work)
{
    for (size_t m = 0; m < work->n; m++)
        if (work->members[m]->compiled->embed_model[0] != '\0')
            return work->members[m]->compiled;
    return work->members[0]->compiled;
}

// Whether a member embeds with the same model, or does not embed.
static bool same_embedder(const struct compiled *embedder,
                          const struct compiled *member)
{
    return member->embed_model[0] == '\0' ||
           (strcmp(embedder->embed_model, member->embed_model) == 0 &&
            embedder->embed_num_ctx == member->embed_num_ctx &&
            strcmp(embedder->embed_digest, member->embed_digest) == 0);
}

static json_t *settings_of(const struct compiled *compiled)
{
    json_t *object = json_object();

    if (object != NULL &&
        settings_put(&compiled->settings, SETTING_JOB, object) &&
        settings_put(&compiled->settings, SETTING_MODEL, object))
        return object;
    json_decref(object);
    return NULL;
}

static json_t *fields_json(const struct field *fields, size_t n)
{
    json_t *map = json_object();

    for (size_t i = 0; map != NULL && i < n; i++)
        if (json_object_set_new(map, fields[i].name, field_json(&fields[i])) !=
            0) {
            json_decref(map);
            map = NULL;
        }
    return map;
}

// {NAME: TYPE} of what a program returns.
static json_t *outputs_json(struct program *program, struct err *err)
{
    json_t *map = json_object();

    for (size_t i = 0; map != NULL && i < program->n_outputs; i++)
        if (json_object_set_new(map, program->outputs[i].name,
                                program_output_json(program, i, err)) != 0) {
            json_decref(map);
            map = NULL;
        }
    return map;
}

// Whether what the first and member i have of that are alike; both are
// released.
static bool check_alike(const struct work *work, size_t i, const char *what,
                        json_t *a, json_t *b)
{
    bool there = a != NULL && b != NULL;
    bool same = there && json_equal(a, b);

    json_decref(a);
    json_decref(b);
    if (!there)
        return nomem(work);
    return same || differs(work, i, what);
}

static bool check_member(const struct work *work, size_t i)
{
    const struct compiled *one = work->members[0]->compiled;
    const struct compiled *other = work->members[i]->compiled;

    if (strcmp(one->model, other->model) != 0)
        return differs(work, i, "their model");
    if (one->digest[0] != '\0' && other->digest[0] != '\0' &&
        strcmp(one->digest, other->digest) != 0)
        return differs(work, i, "the digest of their model");
    if (pools_of(work) != other->program->pools_by && has_pool(other))
        return differs(work, i, "how they pick demos");
    if (!same_embedder(embedder_of(work), one) ||
        !same_embedder(embedder_of(work), other))
        return differs(work, i, "the model that embeds");
    return check_alike(work, i, "`adapter` or the options of their model",
                       settings_of(one), settings_of(other)) &&
           check_alike(
               work, i, "their inputs",
               fields_json(one->program->inputs, one->program->n_inputs),
               fields_json(other->program->inputs, other->program->n_inputs)) &&
           check_alike(work, i, "their outputs",
                       outputs_json(one->program, work->err),
                       outputs_json(other->program, work->err));
}

// --- one program of all ---

// NAME_2; NULL without memory. The caller frees.
static char *renamed(const char *name, size_t member)
{
    struct buf text = BUF_INIT(NAME_BYTES);

    buf_printf(&text, "%s_%zu", name, member + 1);
    if (!text.failed)
        return buf_take(&text);
    buf_release(&text);
    return NULL;
}

// A source of a member as the ensemble has it: STEP.FIELD, or the name of a
// composed value, gets the member's number; an input of the program stays.
static json_t *source_json(const struct program *program, const char *source,
                           size_t member)
{
    size_t len = strcspn(source, ".");
    struct buf text = BUF_INIT(NAME_BYTES);
    json_t *value = NULL;

    buf_append(&text, source, len);
    buf_putc(&text, '\0');
    if (!text.failed && program_find_step(program, text.data) >= 0 &&
        (source[len] == '.' ||
         program->steps[program_find_step(program, text.data)].kind->whole))
        value = json_sprintf("%s_%zu%s", text.data, member + 1, source + len);
    else if (!text.failed)
        value = json_string(source);
    buf_release(&text);
    return value;
}

static json_t *sources_json(const struct program *program, const json_t *given,
                            size_t member)
{
    json_t *made = json_is_array(given) ? json_array() : json_object();
    bool ok = made != NULL;
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_string(given)) {
        json_decref(made);
        return source_json(program, json_string_value(given), member);
    }
    json_array_foreach(given, i, value) ok =
        json_array_append_new(made, sources_json(program, value, member)) ==
            0 &&
        ok;
    json_object_foreach((json_t *)given, key, value) ok =
        json_object_set_new(made, key, sources_json(program, value, member)) ==
            0 &&
        ok;
    if (ok)
        return made;
    json_decref(made);
    return NULL;
}

// {SOURCE: VALUES}
static json_t *when_json(const struct program *program, json_t *given,
                         size_t member)
{
    json_t *made = json_object();
    bool ok = made != NULL;
    const char *key;
    json_t *value;

    json_object_foreach(given, key, value)
    {
        json_t *source = source_json(program, key, member);

        ok = json_object_set(made, json_string_value(source), value) == 0 && ok;
        json_decref(source);
    }
    if (ok)
        return made;
    json_decref(made);
    return NULL;
}

// A step of a member, what it reads renamed.
static json_t *member_step_json(const struct program *program,
                                const json_t *step, size_t member)
{
    static const char *const of_sources[] = {"inputs", "compose", "vote",
                                             "choice"};
    json_t *json = json_deep_copy(step);
    json_t *when = json_object_get(json, "when");
    bool ok = json != NULL;

    for (size_t i = 0; ok && i < sizeof of_sources / sizeof *of_sources; i++) {
        json_t *given = json_object_get(json, of_sources[i]);

        ok = given == NULL ||
             json_object_set_new(json, of_sources[i],
                                 sources_json(program, given, member)) == 0;
    }
    if (ok && when != NULL)
        ok = json_object_set_new(json, "when",
                                 when_json(program, when, member)) == 0;
    if (ok)
        return json;
    json_decref(json);
    return NULL;
}

static bool put_member(const struct work *work, size_t member, json_t *steps)
{
    const struct program *program = work->members[member]->compiled->program;
    json_t *whole = program_json(program);
    bool ok = whole != NULL;
    const char *key;
    json_t *step;

    json_object_foreach(json_object_get(whole, "steps"), key, step)
    {
        char *name = renamed(key, member);

        ok = ok && name != NULL &&
             json_object_set_new(steps, name,
                                 member_step_json(program, step, member)) == 0;
        free(name);
    }
    json_decref(whole);
    return ok || nomem(work);
}

// Where output `o` of the program comes from in that member.
static json_t *output_source(const struct work *work, size_t member, size_t o)
{
    const struct program *program = work->members[member]->compiled->program;
    json_t *whole = program_json(program);
    const json_t *output = json_object_get(json_object_get(whole, "outputs"),
                                           work->first->outputs[o].name);
    const char *source = json_is_string(output)
                             ? json_string_value(output)
                             : json_get_text(output, "value", NULL);
    json_t *value =
        source == NULL ? NULL : source_json(program, source, member);

    json_decref(whole);
    return value;
}

// --- the judge ---

// No step of a member has such a name: those end in a digit.
static const char answer_name[] = "answer_%zu_";

static bool put_answers(const struct work *work, json_t *steps, json_t *inputs)
{
    for (size_t m = 0; m < work->n; m++) {
        json_t *entries = json_object();
        json_t *name = json_sprintf(answer_name, m + 1);
        bool ok = entries != NULL && name != NULL;

        for (size_t o = 0; ok && o < work->first->n_outputs; o++)
            ok = json_object_set_new(entries, work->first->outputs[o].name,
                                     output_source(work, m, o)) == 0;
        ok = ok &&
             json_object_set(inputs, json_string_value(name), name) == 0 &&
             json_object_set_new(steps, json_string_value(name),
                                 json_pack("{s:O}", "compose", entries)) == 0;
        json_decref(entries);
        json_decref(name);
        if (!ok)
            return nomem(work);
    }
    return true;
}

static bool put_judge(const struct work *work, json_t *steps)
{
    json_t *inputs = json_object();
    bool ok = inputs != NULL || nomem(work);

    for (size_t i = 0; ok && i < work->first->n_inputs; i++)
        ok = json_object_set_new(inputs, work->first->inputs[i].name,
                                 json_string(work->first->inputs[i].name)) ==
                 0 ||
             nomem(work);
    ok = ok && put_answers(work, steps, inputs) &&
         (json_object_set_new(
              steps, "judge",
              json_pack("{s:s, s:O, s:{s:{s:s, s:s, s:i, s:i}}}", "predict",
                        judge_instruction, "inputs", inputs, "outputs", "best",
                        "desc", "The number of the best answer", "type", "int",
                        "min", 1, "max", (int)work->n)) == 0 ||
          nomem(work));
    json_decref(inputs);
    return ok;
}

// --- the vote ---

static json_t *voters_json(const struct work *work)
{
    json_t *voters = json_object();

    for (size_t o = 0; voters != NULL && o < work->first->n_outputs; o++) {
        json_t *list = json_array();
        bool ok = list != NULL;

        for (size_t m = 0; ok && m < work->n; m++)
            ok = json_array_append_new(list, output_source(work, m, o)) == 0;
        if (json_object_set_new(voters, work->first->outputs[o].name, list) !=
                0 ||
            !ok) {
            json_decref(voters);
            voters = NULL;
        }
    }
    return voters;
}

static bool check_field(const struct work *work)
{
    const char *field = work->options->field;

    for (size_t o = 0; field != NULL && o < work->first->n_outputs; o++)
        if (strcmp(work->first->outputs[o].name, field) == 0)
            return true;
    if (field != NULL)
        err_set(work->err, ERR_INPUT,
                "--field %.60s: the programs have no such output", field);
    return field == NULL;
}

static bool put_vote(const struct work *work, json_t *steps)
{
    json_t *vote = json_pack("{s:o, s:o}", "vote", voters_json(work), "outputs",
                             outputs_json(work->first, work->err));
    bool ok = vote != NULL;

    if (ok && work->options->field != NULL)
        ok = json_object_set_new(vote, "field",
                                 json_string(work->options->field)) == 0;
    if (ok && work->options->reduce == ENSEMBLE_JUDGE)
        ok =
            json_object_set_new(vote, "choice", json_string("judge.best")) == 0;
    ok = ok && json_object_set(steps, "vote", vote) == 0;
    json_decref(vote);
    return ok || nomem(work);
}

// As the first member has them, with the keys of their labels.
static json_t *returned_json(const struct work *work)
{
    json_t *whole = program_json(work->first);
    json_t *outputs = json_incref(json_object_get(whole, "outputs"));

    json_decref(whole);
    for (size_t o = 0; outputs != NULL && o < work->first->n_outputs; o++) {
        const char *name = work->first->outputs[o].name;
        const char *from = work->first->outputs[o].from;
        json_t *source = json_sprintf("vote.%s", name);

        if (from != NULL)
            source = json_pack("{s:o, s:s}", "value", source, "from", from);
        if (json_object_set_new(outputs, name, source) != 0) {
            json_decref(outputs);
            outputs = NULL;
        }
    }
    return outputs;
}

static json_t *whole_json(const struct work *work)
{
    json_t *steps = json_object();
    json_t *json = NULL;
    bool ok = steps != NULL;

    for (size_t m = 0; ok && m < work->n; m++)
        ok = put_member(work, m, steps);
    if (ok && work->options->reduce == ENSEMBLE_JUDGE)
        ok = put_judge(work, steps);
    if (ok && put_vote(work, steps))
        json =
            json_pack("{s:o, s:O, s:o}", "inputs",
                      fields_json(work->first->inputs, work->first->n_inputs),
                      "steps", steps, "outputs", returned_json(work));
    json_decref(steps);
    if (json == NULL && work->err->code == ERR_NONE)
        (void)nomem(work);
    return json;
}

// --- the file ---

static bool set_values(const struct work *work, size_t member,
                       struct candidate *candidate)
{
    const struct candidate *from = work->members[member]->compiled->candidate;
    const char *key;
    json_t *value;

    json_object_foreach(from->values, key, value)
    {
        json_t *name =
            source_json(work->members[member]->compiled->program, key, member);
        bool ok = name != NULL &&
                  candidate_set_value(candidate, json_string_value(name), value,
                                      work->err);

        json_decref(name);
        if (!ok)
            return false;
    }
    return true;
}

// The prompts of all members, in the order of the program's steps.
static struct candidate *gather(const struct work *work,
                                const struct program *program)
{
    struct candidate *candidate = candidate_new(program, work->err);
    size_t at = 0;
    bool ok = candidate != NULL;

    for (size_t m = 0; ok && m < work->n; m++) {
        const struct candidate *from = work->members[m]->compiled->candidate;

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
    bool ok = members != NULL;

    for (size_t m = 0; ok && m < work->n; m++) {
        const struct compiled *one = work->members[m]->compiled;
        double score = score_of(work->members[m]);

        ok = json_array_append_new(
                 members,
                 json_pack("{s:s, s:s, s:o}", "job", one->job_id, "optimizer",
                           json_get_text(one->metadata, "optimizer", ""),
                           "score",
                           score < 0 ? json_null() : json_real(score))) == 0;
    }
    if (ok)
        return json_pack("{s:s, s:o}", "reduce_fn",
                         ensemble_reduce_names[work->options->reduce],
                         "members", members);
    json_decref(members);
    return NULL;
}

// NAME-HASH, as a job's id is, over what the members are.
static void put_id(const struct work *work, const struct candidate *candidate,
                   const char *name, char out[ID_BYTES])
{
    struct hasher hasher;
    char hex[HASH_HEX];

    hasher_init(&hasher, "ensemble");
    for (size_t m = 0; m < work->n; m++)
        hasher_add_text(&hasher, work->members[m]->compiled->job_id);
    hasher_add_hash(&hasher, &candidate->id);
    struct hash id = hasher_end(&hasher);
    hash_hex(&id, hex);
    (void)snprintf(out, ID_BYTES, "%.100s-%.12s", name, hex);
}

static void fill_embedder(const struct work *work, struct job *job,
                          struct compiled_facts *facts)
{
    const struct compiled *from = embedder_of(work);
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

// What compiled_write wants to know of the job: the first member's.
static bool fill_job(const struct work *work, struct program *program,
                     struct job *job, struct compiled_facts *facts)
{
    const struct compiled *first = work->members[0]->compiled;
    const json_t *models = json_object_get(first->metadata, "models");

    job->name = json_get_text(first->metadata, "name", "ensemble");
    job->seed = json_get_int(first->metadata, "seed", 0);
    job->program = program;
    program->pools_by = pools_of(work);
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

static bool any_simulated(const struct work *work)
{
    for (size_t m = 0; m < work->n; m++)
        if (work->members[m]->compiled->simulated)
            return true;
    return false;
}

static bool write_file(const struct work *work, struct program *program,
                       struct buf *out)
{
    struct candidate *candidate = gather(work, program);
    json_t *about = about_json(work);
    struct job job = {0};
    char id[ID_BYTES];
    struct compiled_facts facts = {.job_id = id,
                                   .optimizer = "ensemble",
                                   .simulated = any_simulated(work),
                                   .ensemble = about};
    bool ok = candidate != NULL && (about != NULL || nomem(work)) &&
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
    bool ok = choose_members(&work, members, n) && check_field(&work);

    for (size_t i = 1; ok && i < work.n; i++)
        ok = check_member(&work, i);
    if (ok)
        whole = whole_json(&work);
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
