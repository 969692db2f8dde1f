#include "program/graph/candidate.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "program/graph/adapter.h"
#include "program/graph/ask.h"

enum {
    CANDIDATE_MAX_BYTES = 64 << 20,
    DEMOS_MAX_BYTES = 32 << 20,
    VALUES_MAX_BYTES = 1 << 20,
    POOL_TEXT_MAX_BYTES = 16 << 20,
};

static struct candidate *alloc_candidate(size_t n_parts, struct err *err)
{
    struct candidate *candidate = calloc(1, sizeof *candidate);

    if (candidate == NULL) {
        err_nomem(err, "a candidate");
        return NULL;
    }
    candidate->arena = ARENA_INIT(CANDIDATE_MAX_BYTES);
    atomic_init(&candidate->references, 1);
    candidate->parts =
        arena_array(&candidate->arena, n_parts, sizeof *candidate->parts);
    if (candidate->parts == NULL) {
        err_nomem(err, "a candidate");
        candidate_unref(candidate);
        return NULL;
    }
    candidate->n_parts = n_parts;
    return candidate;
}

struct candidate *candidate_new(const struct program *program, struct err *err)
{
    struct candidate *candidate = alloc_candidate(program->n_predictors, err);

    for (size_t i = 0; candidate != NULL && i < candidate->n_parts; i++) {
        const struct step *step = program_predictor(program, i);

        if (!candidate_set_instruction(candidate, i, 0,
                                       step->signature.instruction, err) ||
            !candidate_set_demos(candidate, i, 0, NULL, 0, err)) {
            candidate_unref(candidate);
            candidate = NULL;
        }
    }
    return candidate;
}

static bool copy_parents(struct candidate *candidate, const struct hash *ids,
                         size_t n, struct err *err)
{
    struct hash *copy = arena_array(&candidate->arena, n, sizeof *copy);

    if (copy == NULL) {
        err_nomem(err, "a candidate");
        return false;
    }
    for (size_t i = 0; i < n; i++)
        copy[i] = ids[i];
    candidate->parents = copy;
    candidate->n_parents = n;
    return true;
}

bool candidate_set_parents(struct candidate *candidate,
                           struct candidate *const *parents, size_t n,
                           struct err *err)
{
    struct hash ids[CANDIDATE_MAX_PARENTS];

    assert(n <= CANDIDATE_MAX_PARENTS);
    for (size_t i = 0; i < n; i++)
        ids[i] = parents[i]->id;
    return copy_parents(candidate, ids, n, err);
}

static bool copy_values(struct candidate *candidate,
                        const struct candidate *from, struct err *err)
{
    candidate->settings = from->settings;
    candidate->chosen = from->chosen;
    if (from->values == NULL)
        return true;
    candidate->values = json_deep_copy(from->values);
    if (candidate->values == NULL)
        err_nomem(err, "a candidate");
    return candidate->values != NULL;
}

struct candidate *candidate_copy(const struct candidate *candidate,
                                 struct err *err)
{
    struct candidate *copy = alloc_candidate(candidate->n_parts, err);

    if (copy != NULL &&
        !copy_parents(copy, candidate->parents, candidate->n_parents, err)) {
        candidate_unref(copy);
        return NULL;
    }
    if (copy != NULL && !copy_values(copy, candidate, err)) {
        candidate_unref(copy);
        return NULL;
    }
    for (size_t i = 0; copy != NULL && i < copy->n_parts; i++) {
        if (!candidate_set_part(copy, i, &candidate->parts[i], err)) {
            candidate_unref(copy);
            copy = NULL;
        }
    }
    return copy;
}

struct candidate *candidate_child(struct candidate *parent, struct err *err)
{
    struct candidate *child = candidate_copy(parent, err);

    if (child != NULL && !candidate_set_parents(child, &parent, 1, err)) {
        candidate_unref(child);
        return NULL;
    }
    return child;
}

bool candidate_set_instruction(struct candidate *candidate, size_t part, int no,
                               const char *text, struct err *err)
{
    assert(part < candidate->n_parts && text != NULL);

    char *copy = arena_strdup(&candidate->arena, text);
    if (copy == NULL) {
        err_nomem(err, "an instruction");
        return false;
    }
    candidate->parts[part].instruction = copy;
    candidate->parts[part].instruction_no = no;
    return true;
}

// Keys are sorted, so a demo hashes the same in whatever order its fields came.
static bool hash_demos(const struct demo *demos, size_t n, struct hash *out,
                       struct err *err)
{
    struct buf text = BUF_INIT(DEMOS_MAX_BYTES);
    struct hasher hasher;
    bool ok = true;

    hasher_init(&hasher, "demos");
    for (size_t i = 0; ok && i < n; i++) {
        buf_clear(&text);
        json_put_sorted(&text, demos[i].fields);
        ok = buf_ok(&text, "a demo", err);
        hasher_add(&hasher, text.data, ok ? text.len : 0);
    }
    *out = hasher_end(&hasher);
    buf_release(&text);
    return ok;
}

static void drop_demos(struct candidate_part *part)
{
    for (size_t i = 0; i < part->n_demos; i++)
        json_decref(part->demos[i].fields);
    part->demos = NULL;
    part->n_demos = 0;
}

bool candidate_set_demos(struct candidate *candidate, size_t part, int no,
                         const struct demo *demos, size_t n, struct err *err)
{
    assert(part < candidate->n_parts);

    struct candidate_part *target = &candidate->parts[part];
    struct hash shown = {0};

    if (!hash_demos(demos, n, &shown, err))
        return false;
    struct demo *copy = arena_array(&candidate->arena, n, sizeof *copy);
    if (copy == NULL) {
        err_nomem(err, "demos");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        copy[i] = demos[i];
        json_incref(copy[i].fields);
    }
    drop_demos(target);
    target->demos = copy;
    target->n_demos = n;
    target->nearest = 0;
    target->demo_set_no = no;
    target->shown = shown;
    return true;
}

void candidate_set_nearest(struct candidate *candidate, size_t part,
                           size_t nearest)
{
    assert(part < candidate->n_parts);
    candidate->parts[part].nearest = nearest;
}

bool candidate_set_part(struct candidate *candidate, size_t part,
                        const struct candidate_part *from, struct err *err)
{
    if (!candidate_set_instruction(candidate, part, from->instruction_no,
                                   from->instruction, err) ||
        !candidate_set_demos(candidate, part, from->demo_set_no, from->demos,
                             from->n_demos, err))
        return false;
    candidate_set_nearest(candidate, part, from->nearest);
    return true;
}

// Appends the text by which a demo is found, unless it contains no word.
static bool add_text(const struct buf *text, json_t *list)
{
    return !ask_can_embed(text) ||
           json_array_append_new(list, json_stringn(text->data, text->len)) ==
               0;
}

static bool add_pool_texts(const struct step *step,
                           const struct candidate_part *part, json_t *list)
{
    struct buf text = BUF_INIT(POOL_TEXT_MAX_BYTES);
    bool ok = true;

    for (size_t i = 0; ok && part->nearest > 0 && i < part->n_demos; i++) {
        buf_clear(&text);
        step_query(step, part->demos[i].fields, &text);
        ok = !text.failed && add_text(&text, list);
    }
    buf_release(&text);
    return ok;
}

bool candidate_pool_texts(const struct candidate *candidate,
                          const struct program *program, json_t *list,
                          struct err *err)
{
    for (size_t p = 0; p < candidate->n_parts; p++)
        if (!add_pool_texts(program_predictor(program, p), &candidate->parts[p],
                            list)) {
            err_nomem(err, "an index of demos");
            return false;
        }
    return true;
}

size_t candidate_part_n_shown(const struct candidate_part *part)
{
    return part->nearest > 0 && part->nearest < part->n_demos ? part->nearest
                                                              : part->n_demos;
}

static bool hash_values(struct candidate *candidate, struct err *err)
{
    struct buf text = BUF_INIT(VALUES_MAX_BYTES);
    struct hasher hasher;

    json_put_sorted(&text, candidate->values);
    bool ok = buf_ok(&text, "the values of steps", err);
    hasher_init(&hasher, "values");
    hasher_add(&hasher, text.data, ok ? text.len : 0);
    candidate->chosen = hasher_end(&hasher);
    buf_release(&text);
    return ok;
}

static bool set_step_value(struct candidate *candidate, const char *name,
                           const json_t *value, struct err *err)
{
    if (value == NULL && candidate->values == NULL)
        return true;
    if (value == NULL) {
        (void)json_object_del(candidate->values, name);
        return hash_values(candidate, err);
    }
    if (candidate->values == NULL)
        candidate->values = json_object();
    if (candidate->values == NULL ||
        json_object_set_new(candidate->values, name, json_deep_copy(value)) !=
            0) {
        err_nomem(err, "a candidate");
        return false;
    }
    return hash_values(candidate, err);
}

bool candidate_set_value(struct candidate *candidate, const char *name,
                         const json_t *value, struct err *err)
{
    if (strchr(name, '.') != NULL)
        return set_step_value(candidate, name, value, err);
    if (value != NULL)
        return settings_set(&candidate->settings, name, value, err);
    settings_unset(&candidate->settings, name);
    return true;
}

json_t *candidate_tuned(const struct candidate *candidate)
{
    json_t *tuned = json_object();

    if (tuned != NULL &&
        settings_put(&candidate->settings, SETTING_JOB, tuned) &&
        settings_put(&candidate->settings, SETTING_MODEL, tuned) &&
        (candidate->values == NULL ||
         json_object_update(tuned, candidate->values) == 0))
        return tuned;
    json_decref(tuned);
    return NULL;
}

json_t *candidate_chosen(const struct candidate *candidate,
                         const struct program *program)
{
    json_t *chosen = candidate_tuned(candidate);

    for (size_t i = 0; chosen != NULL && i < candidate->n_parts; i++) {
        const struct step *step = program_predictor(program, i);
        struct buf name = BUF_INIT(1 << 10);

        if (candidate->parts[i].nearest == 0)
            continue;
        buf_printf(&name, "%s.nearest", step->name);
        if (name.failed ||
            json_object_set_new(
                chosen, name.data,
                json_integer((json_int_t)candidate->parts[i].nearest)) != 0) {
            json_decref(chosen);
            chosen = NULL;
        }
        buf_release(&name);
    }
    return chosen;
}

void candidate_seal(struct candidate *candidate)
{
    struct hasher hasher;

    hasher_init(&hasher, "candidate");
    hasher_add_int(&hasher, (int64_t)candidate->n_parts);
    for (size_t i = 0; i < candidate->n_parts; i++) {
        hasher_add_text(&hasher, candidate->parts[i].instruction);
        hasher_add_hash(&hasher, &candidate->parts[i].shown);
        if (candidate->parts[i].nearest > 0) {
            hasher_add_text(&hasher, "nearest");
            hasher_add_int(&hasher, (int64_t)candidate->parts[i].nearest);
        }
    }
    settings_hash(&candidate->settings, &hasher);
    if (json_object_size(candidate->values) > 0)
        hasher_add_hash(&hasher, &candidate->chosen);
    candidate->id = hasher_end(&hasher);
}

struct candidate *candidate_ref(struct candidate *candidate)
{
    (void)atomic_fetch_add(&candidate->references, 1);
    return candidate;
}

void candidate_unref(struct candidate *candidate)
{
    if (candidate == NULL || atomic_fetch_sub(&candidate->references, 1) > 1)
        return;
    for (size_t i = 0; i < candidate->n_parts; i++)
        drop_demos(&candidate->parts[i]);
    json_decref(candidate->values);
    arena_release(&candidate->arena);
    free(candidate);
}

bool candidate_part_has(const struct candidate_part *part, int row)
{
    if (part->nearest > 0 || row < 0)
        return false;
    for (size_t i = 0; i < part->n_demos; i++) {
        if (part->demos[i].row == row)
            return true;
    }
    return false;
}

struct candidate_part candidate_part_for(const struct candidate_part *part,
                                         int row, struct demo *others)
{
    struct candidate_part seen = *part;

    seen.demos = others;
    seen.n_demos = 0;
    for (size_t i = 0; i < part->n_demos; i++)
        if (row < 0 || part->demos[i].row != row)
            others[seen.n_demos++] = part->demos[i];
    return seen;
}
