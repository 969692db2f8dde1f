#include "program/job/tune.h"

#include <inttypes.h>
#include <string.h>

#include "program/graph/kind.h"
#include "program/graph/settings.h"

// --- taking ---

static bool is_tune(const struct node *node)
{
    return node_find(node, "tune") != NULL;
}

// Returns true for a possible choice: a scalar, or a list of scalars.
static bool is_choice(const struct node *node)
{
    bool ok =
        node->kind == NODE_SCALAR || (node->kind == NODE_LIST && node->n > 0);

    for (size_t i = 0; ok && i < node->n; i++)
        ok = node->items[i]->kind == NODE_SCALAR;
    return ok;
}

static bool is_same(const struct node *a, const struct node *b)
{
    json_t *one = node_json(a);
    json_t *other = node_json(b);
    bool same = one != NULL && json_equal(one, other);

    json_decref(one);
    json_decref(other);
    return same;
}

static size_t find_choice(const struct node *choices, size_t n,
                          const struct node *wanted)
{
    size_t i = 0;

    while (i < n && !is_same(choices->items[i], wanted))
        i++;
    return i;
}

static bool check_list(struct tune *tune, const struct node *choices)
{
    bool ok = choices->kind == NODE_LIST && choices->n > 0;

    for (size_t i = 0; ok && i < choices->n; i++)
        ok = is_choice(choices->items[i]);
    if (!ok) {
        diag_add(tune->diags, DIAG_ERROR, "tunable", &choices->place,
                 "`tune` must be a list of values to choose from");
        diag_remedy(tune->diags, "write {tune: [3, 5, 8], default: 5}");
        return false;
    }
    if (choices->n > TUNABLE_MAX_CHOICES) {
        diag_add(tune->diags, DIAG_ERROR, "tunable", &choices->place,
                 "`tune` has %zu values, more than %d", choices->n,
                 TUNABLE_MAX_CHOICES);
        diag_remedy(tune->diags, "each one has to be tried: keep the few that "
                                 "are most likely to be best");
        return false;
    }
    for (size_t i = 1; i < choices->n; i++) {
        if (find_choice(choices, i, choices->items[i]) == i)
            continue;
        diag_add(tune->diags, DIAG_ERROR, "tunable", &choices->items[i]->place,
                 "this value is already in the list");
        diag_remedy(tune->diags, "remove one of the two");
        ok = false;
    }
    return ok;
}

// Finds the index of the default among the choices; the first if none is given.
static bool check_default(struct tune *tune, const struct node *choices,
                          const struct node *given, size_t *out)
{
    *out = given == NULL ? 0 : find_choice(choices, choices->n, given);
    if (*out < choices->n)
        return true;
    diag_add(tune->diags, DIAG_ERROR, "tunable", &given->place,
             "the default of a tunable must be one of its values");
    diag_remedy(tune->diags, "add it to the list, or leave `default` out to "
                             "begin with the first value");
    *out = 0;
    return false;
}

// Returns any value of a list with mistakes, so that no further mistake is
// reported for it; NULL if there is none.
static struct node *any_choice(const struct node *choices)
{
    return choices->kind == NODE_LIST && choices->n > 0 &&
                   is_choice(choices->items[0])
               ? choices->items[0]
               : NULL;
}

static void remove_key(struct node *map, size_t at)
{
    for (map->n--; at < map->n; at++) {
        map->items[at] = map->items[at + 1];
        map->keys[at] = map->keys[at + 1];
        map->key_places[at] = map->key_places[at + 1];
    }
}

// Replaces the list under key `at` of map with its default; *choices keeps the
// list. Returns false with findings, and the key may then be gone.
static bool resolve(struct tune *tune, struct node *map, size_t at,
                    const struct node **choices, size_t *default_index)
{
    static const char *const keys[] = {"tune", "default"};
    struct node *node = map->items[at];
    const struct node *given = node_find(node, "default");
    size_t before = tune->diags->errors;

    *choices = node_find(node, "tune");
    node_only_keys(node, "a tunable", keys, 2, tune->diags);
    bool ok = check_list(tune, *choices);
    if (ok)
        ok = check_default(tune, *choices, given, default_index);
    struct node *value =
        ok ? (*choices)->items[*default_index] : any_choice(*choices);
    if (value == NULL)
        remove_key(map, at);
    else
        map->items[at] = value;
    return ok && tune->diags->errors == before;
}

static void remember(struct tune *tune, const struct tune_item *item)
{
    for (size_t i = 0; i < tune->n; i++) {
        if (strcmp(tune->items[i].name, item->name) != 0)
            continue;
        diag_add(tune->diags, DIAG_ERROR, "tunable", &item->place,
                 "`%s` is tuned in two places", item->name);
        diag_remedy(tune->diags, "keep one of the two lists");
        return;
    }
    if (tune->n < TUNABLES_MAX) {
        tune->items[tune->n++] = *item;
        return;
    }
    diag_add(tune->diags, DIAG_ERROR, "tunable", &item->place,
             "more than %d values are tuned", TUNABLES_MAX);
    diag_remedy(tune->diags, "fix the values that matter least");
}

// Takes the value under key `at` of map if it is a list to choose from. Returns
// false if the key is gone.
static bool take(struct tune *tune, struct node *map, size_t at,
                 struct tune_item item)
{
    size_t n = map->n;

    if (!is_tune(map->items[at]))
        return true;
    item.place = map->items[at]->place;
    if (resolve(tune, map, at, &item.choices, &item.default_index))
        remember(tune, &item);
    return map->n == n;
}

static bool is_map(const struct node *node)
{
    return node != NULL && node->kind == NODE_MAP;
}

static void take_settings(struct tune *tune, struct node *map)
{
    for (size_t i = 0; is_map(map) && i < map->n;)
        i += !settings_has(map->keys[i]) ||
             take(tune, map, i,
                  (struct tune_item){.at = TUNE_SETTING, .name = map->keys[i]});
}

// Returns true for keys whose value is a map of names, which may include
// `tune`.
static bool is_map_key(const char *key)
{
    static const char *const maps[] = {"inputs", "outputs", "compose", "when"};

    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        if (strcmp(maps[i], key) == 0)
            return true;
    return false;
}

static void take_step(struct tune *tune, const char *step, struct node *map)
{
    for (size_t i = 0; is_map(map) && i < map->n;) {
        const char *key = map->keys[i];
        const char *name = arena_printf(tune->arena, "%s.%s", step, key);

        if (name == NULL) {
            tune->diags->nomem = true;
            return;
        }
        i += is_map_key(key) ||
             take(tune, map, i,
                  (struct tune_item){
                      .at = TUNE_STEP, .name = name, .step = step, .key = key});
    }
}

// Replaces the value under key `at` with its default, because it is not for the
// search to choose. Returns false if the key is gone.
static bool use_default(struct tune *tune, struct node *map, size_t at)
{
    const char *key = map->keys[at];
    struct place place = map->items[at]->place;
    const struct node *choices = NULL;
    size_t n = map->n, default_index = 0;

    if (!resolve(tune, map, at, &choices, &default_index))
        return map->n == n;
    diag_add(tune->diags, DIAG_WARNING, "not-searched", &place,
             "`%s` is not part of the program, so it is not searched: its "
             "value is %s",
             key,
             map->items[at]->kind == NODE_SCALAR ? map->items[at]->text
                                                 : "its default");
    diag_remedy(tune->diags,
                "give it one value. What can be searched: `adapter`, the "
                "options of the student, `demos.count`, values of steps");
    return true;
}

static void fix_below(struct tune *tune, struct node *map)
{
    for (size_t i = 0; is_map(map) && i < map->n;) {
        struct node *node = map->items[i];

        if (!is_tune(node))
            fix_below(tune, node);
        i += !is_tune(node) || use_default(tune, map, i);
    }
}

static void fix_key(struct tune *tune, struct node *root, const char *key)
{
    for (size_t i = 0; is_map(root) && i < root->n; i++) {
        if (strcmp(root->keys[i], key) != 0)
            continue;
        if (!is_tune(root->items[i]))
            fix_below(tune, root->items[i]);
        else if (!use_default(tune, root, i))
            return;
    }
}

static void take_count(struct tune *tune, struct node *demos)
{
    for (size_t i = 0; is_map(demos) && i < demos->n; i++)
        if (strcmp(demos->keys[i], "count") == 0 &&
            !take(tune, demos, i,
                  (struct tune_item){
                      .at = TUNE_DEMOS, .name = "demos.count", .key = "count"}))
            return;
}

void tune_take(struct tune *tune, struct node *root)
{
    const struct node *models = node_find(root, "models");
    const struct node *steps = node_find(root, "steps");

    take_settings(tune, root);
    take_settings(tune, node_find(models, "options"));
    take_settings(tune, node_find(models, "student_options"));
    for (size_t i = 0; is_map(steps) && i < steps->n; i++)
        take_step(tune, steps->keys[i], steps->items[i]);
    take_count(tune, node_find(root, "demos"));
    fix_key(tune, root, "models");
    fix_key(tune, root, "optimizer");
    fix_key(tune, root, "window");
    fix_key(tune, root, "skipped_steps");
}

// --- settling ---

// Returns the value in the form in which a candidate sets it.
static const json_t *settle_setting(const struct tune *tune,
                                    const struct tune_item *item,
                                    const struct node *node)
{
    struct settings one = {0};
    json_t *said = json_object();
    const json_t *value = NULL;

    if (settings_parse_one(node, item->name, &one, tune->diags) &&
        said != NULL && settings_put(&one, SETTING_JOB, said) &&
        settings_put(&one, SETTING_MODEL, said))
        value = json_incref(json_object_get(said, item->name));
    json_decref(said);
    return value;
}

static const json_t *settle_count(const struct tune *tune,
                                  const struct node *node)
{
    int64_t n = 0;

    return node_int(node, "`count`", 0, TUNABLE_MAX_DEMOS, &n, tune->diags)
               ? json_integer(n)
               : NULL;
}

static const json_t *settle_step(const struct tune *tune,
                                 const struct tune_item *item,
                                 const struct program *program,
                                 const struct node *node)
{
    struct err err = ERR_CLEAR;
    json_t *value = node_json(node);

    if (value == NULL)
        tune->diags->nomem = true;
    else if (program_check_tunable(program, item->name, value, &err))
        return value;
    else
        diag_add(tune->diags, DIAG_ERROR, "tunable", &node->place, "%s",
                 err.text);
    json_decref(value);
    return NULL;
}

static const json_t *settle_choice(const struct tune *tune,
                                   const struct tune_item *item,
                                   const struct program *program,
                                   const struct node *node)
{
    switch (item->at) {
    case TUNE_SETTING:
        return settle_setting(tune, item, node);
    case TUNE_DEMOS:
        return settle_count(tune, node);
    case TUNE_STEP:
        return settle_step(tune, item, program, node);
    }
    return NULL;
}

static bool settle_item(const struct tune *tune, const struct tune_item *item,
                        const struct program *program, struct tunable *out)
{
    size_t n = item->choices->n;

    *out = (struct tunable){.name = item->name,
                            .step = -1,
                            .key = item->key,
                            .counts_demos = item->at == TUNE_DEMOS,
                            .default_index = item->default_index,
                            .place = item->place};
    if (item->at == TUNE_STEP) {
        out->step = program_find_step(program, item->step);
        if (!program_may_tune(program, out->step, item->key)) {
            diag_add(tune->diags, DIAG_ERROR, "tunable", &item->place,
                     "`%s` of step `%s` cannot be tuned", item->key,
                     item->step);
            diag_remedy(tune->diags, "give it one value");
            return false;
        }
    }
    out->choices = arena_array(tune->arena, n, sizeof *out->choices);
    if (out->choices == NULL) {
        tune->diags->nomem = true;
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *value =
            settle_choice(tune, item, program, item->choices->items[i]);
        if (value == NULL)
            return false;
        out->choices[out->n_choices++] = value;
    }
    return true;
}

// Checks that the longest answer leaves room for a prompt in the smallest
// context.
static bool check_room(const struct tune *tune, const struct tunables *all)
{
    const struct tunable *context = tunables_find(all, "num_ctx");
    const struct tunable *answer = tunables_find(all, "num_predict");
    json_int_t smallest = INT64_MAX, largest = 0;

    if (context == NULL || answer == NULL)
        return true;
    for (size_t i = 0; i < context->n_choices; i++)
        if (json_integer_value(context->choices[i]) < smallest)
            smallest = json_integer_value(context->choices[i]);
    for (size_t i = 0; i < answer->n_choices; i++)
        if (json_integer_value(answer->choices[i]) > largest)
            largest = json_integer_value(answer->choices[i]);
    if (largest < smallest)
        return true;
    diag_add(tune->diags, DIAG_ERROR, "tunable", &answer->place,
             "`num_predict` %" PRId64 " leaves no room for a prompt in "
             "`num_ctx` %" PRId64,
             (int64_t)largest, (int64_t)smallest);
    diag_remedy(tune->diags, "every answer must fit every context: leave one "
                             "of the two values out");
    return false;
}

bool tune_settle(const struct tune *tune, const struct program *program,
                 struct tunables *out)
{
    bool ok = true;

    for (size_t i = 0; i < tune->n; i++)
        ok = settle_item(tune, &tune->items[i], program,
                         &out->items[out->n++]) &&
             ok;
    return ok && check_room(tune, out);
}
