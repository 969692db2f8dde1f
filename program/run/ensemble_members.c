#include "program/run/ensemble_members.h"

#include <string.h>

#include "common/file.h"
#include "common/json.h"
#include "program/graph/type_form.h"

double ensemble_member_score(const struct ensemble_member *member)
{
    const json_t *scores =
        json_object_get(member->compiled->metadata, "scores");

    return json_get_number(json_object_get(scores, "compiled"), "score", -1);
}

struct program *ensemble_members_first(const struct ensemble_members *members)
{
    return members->items[0].compiled->program;
}

static bool has_pool(const struct compiled *member)
{
    for (size_t p = 0; p < member->candidate->n_parts; p++)
        if (member->candidate->parts[p].nearest > 0)
            return true;
    return false;
}

enum search_by ensemble_members_pools_by(const struct ensemble_members *members)
{
    for (size_t m = 0; m < members->n; m++)
        if (has_pool(members->items[m].compiled))
            return members->items[m].compiled->program->pools_by;
    return SEARCH_BY_WORDS;
}

const struct compiled *
ensemble_members_embedder(const struct ensemble_members *members)
{
    for (size_t m = 0; m < members->n; m++)
        if (members->items[m].compiled->embed_model[0] != '\0')
            return members->items[m].compiled;
    return members->items[0].compiled;
}

bool ensemble_members_any_simulated(const struct ensemble_members *members)
{
    for (size_t m = 0; m < members->n; m++)
        if (members->items[m].compiled->simulated)
            return true;
    return false;
}

// --- whether they go together ---

static bool differs(const struct ensemble_members *members, size_t i,
                    const char *what, struct err *err)
{
    err_set(err, ERR_INPUT,
            "%s and %s differ in %s: all members of an ensemble ask the "
            "same model in the same way",
            FILE_SHOWN(members->items[0].path, 80),
            FILE_SHOWN(members->items[i].path, 80), what);
    return false;
}

// Returns true if a member embeds with the same model, or does not embed.
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

// What the first member and another one have. Both are owned; NULL: out of
// memory.
struct both {
    const char *what;
    json_t *a, *b;
};

// Takes over both values.
static bool check_alike(const struct ensemble_members *members, size_t i,
                        struct both both, struct err *err)
{
    bool there = both.a != NULL && both.b != NULL;
    bool same = there && json_equal(both.a, both.b);

    json_decref(both.a);
    json_decref(both.b);
    if (there && !same)
        return differs(members, i, both.what, err);
    if (!there && err->code == ERR_NONE)
        err_nomem(err, "an ensemble");
    return same;
}

static bool check_model(const struct ensemble_members *members, size_t i,
                        struct err *err)
{
    const struct compiled *one = members->items[0].compiled;
    const struct compiled *other = members->items[i].compiled;
    const struct compiled *embedder = ensemble_members_embedder(members);

    if (strcmp(one->model, other->model) != 0)
        return differs(members, i, "their model", err);
    if (one->digest[0] != '\0' && other->digest[0] != '\0' &&
        strcmp(one->digest, other->digest) != 0)
        return differs(members, i, "the digest of their model", err);
    if (ensemble_members_pools_by(members) != other->program->pools_by &&
        has_pool(other))
        return differs(members, i, "how they pick demos", err);
    if (!same_embedder(embedder, one) || !same_embedder(embedder, other))
        return differs(members, i, "the model that embeds", err);
    return true;
}

static bool check_member(const struct ensemble_members *members, size_t i,
                         struct err *err)
{
    const struct compiled *one = members->items[0].compiled;
    const struct compiled *other = members->items[i].compiled;
    const struct program *a = one->program;
    const struct program *b = other->program;

    return check_model(members, i, err) &&
           check_alike(members, i,
                       (struct both){"`adapter` or the options of their model",
                                     settings_of(one), settings_of(other)},
                       err) &&
           check_alike(members, i,
                       (struct both){"their inputs",
                                     fields_json(a->inputs, a->n_inputs),
                                     fields_json(b->inputs, b->n_inputs)},
                       err) &&
           check_alike(members, i,
                       (struct both){"their outputs",
                                     program_outputs_json(one->program, err),
                                     program_outputs_json(other->program, err)},
                       err);
}

// --- which of those given ---

static size_t count_better(const struct ensemble_member *given, size_t n,
                           size_t of)
{
    double score = ensemble_member_score(&given[of]);
    size_t better = 0;

    for (size_t i = 0; i < n; i++) {
        double other = ensemble_member_score(&given[i]);
        better += other > score || (other == score && i < of);
    }
    return better;
}

bool ensemble_members_choose(const struct ensemble_member *given, size_t n,
                             size_t size, struct ensemble_members *out,
                             struct err *err)
{
    size_t most = size > 0 && size < n ? size : n;

    *out = (struct ensemble_members){.n = 0};
    if (most < 2 || most > ENSEMBLE_MAX_MEMBERS) {
        err_set(err, ERR_INPUT,
                "an ensemble takes 2 to %d compiled programs, not %zu",
                ENSEMBLE_MAX_MEMBERS, most);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (count_better(given, n, i) < most)
            out->items[out->n++] = given[i];
    for (size_t i = 1; i < out->n; i++)
        if (!check_member(out, i, err))
            return false;
    return true;
}
