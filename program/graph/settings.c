#include "program/graph/settings.h"

#include <assert.h>
#include <string.h>

const char *const adapter_names[] = {"chat", "json", NULL};

enum setting_type { SETTING_INT, SETTING_REAL, SETTING_FLAG, SETTING_CHOICE };

// To add a setting, add a member to struct settings and a row here.
static const struct setting {
    const char *name;
    enum setting_place place;
    enum setting_type type;
    size_t offset; // in struct settings
    double min, max;
    const char *const *choices; // SETTING_CHOICE, NULL-terminated
    const char *expects;
} rows[] = {
    {"adapter", SETTING_JOB, SETTING_CHOICE, offsetof(struct settings, adapter),
     0, 0, adapter_names, "chat or json"},
    {"num_ctx", SETTING_MODEL, SETTING_INT,
     offsetof(struct settings, options.num_ctx), 128, 16 << 20, NULL,
     "a whole number from 128 to 16777216"},
    {"num_predict", SETTING_MODEL, SETTING_INT,
     offsetof(struct settings, options.num_predict), 1, 16 << 20, NULL,
     "a whole number from 1 to 16777216"},
    {"temperature", SETTING_MODEL, SETTING_REAL,
     offsetof(struct settings, options.temperature), 0, 2, NULL,
     "a number from 0 to 2"},
    {"think", SETTING_MODEL, SETTING_FLAG,
     offsetof(struct settings, options.think), 0, 0, NULL, "true or false"},
};
enum { ROWS = sizeof rows / sizeof rows[0] };
_Static_assert((int)ROWS <= (int)SETTINGS_MAX, "struct settings says 32 rows");

// One value of any row. Enums have the size of an int.
union value {
    int32_t number; // SETTING_INT, _CHOICE, and _FLAG as enum call_think
    double real;
};

_Static_assert(sizeof(enum adapter) == sizeof(int32_t) &&
                   sizeof(enum call_think) == sizeof(int32_t),
               "choices and flags are kept as 32 bits");

static size_t size_of(const struct setting *row)
{
    return row->type == SETTING_REAL ? sizeof(double) : sizeof(int32_t);
}

static union value get(const struct settings *settings,
                       const struct setting *row)
{
    union value value = {0};

    memcpy(&value, (const char *)settings + row->offset, size_of(row));
    return value;
}

static void set(struct settings *settings, const struct setting *row,
                union value value)
{
    memcpy((char *)settings + row->offset, &value, size_of(row));
    settings->said |= UINT32_C(1) << (row - rows);
}

static bool is_set(const struct settings *settings, const struct setting *row)
{
    return (settings->said >> (row - rows) & 1) != 0;
}

static const struct setting *find_row(const char *name)
{
    for (const struct setting *row = rows; row < rows + ROWS; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

size_t settings_names(enum setting_place place, const char *names[SETTINGS_MAX])
{
    size_t n = 0;

    for (const struct setting *row = rows; row < rows + ROWS; row++)
        if (row->place == place)
            names[n++] = row->name;
    return n;
}

// --- from a job file ---

static bool parse_row(const struct node *node, const struct setting *row,
                      union value *out, struct diags *diags)
{
    const char *what = arena_printf(&diags->arena, "`%s`", row->name);
    int64_t number = 0;
    size_t choice = 0;
    bool flag = false;

    if (what == NULL) {
        diags->nomem = true;
        return false;
    }
    switch (row->type) {
    case SETTING_INT:
        if (!node_int(node, what, (int64_t)row->min, (int64_t)row->max, &number,
                      diags))
            return false;
        out->number = (int32_t)number;
        return true;
    case SETTING_REAL:
        return node_number(node, what, row->min, row->max, &out->real, diags);
    case SETTING_FLAG:
        if (!node_bool(node, what, &flag, diags))
            return false;
        out->number = flag ? THINK_ON : THINK_OFF;
        return true;
    case SETTING_CHOICE:
        if (!node_choice(node, what, row->choices, &choice, diags))
            return false;
        out->number = (int32_t)choice;
        return true;
    }
    return false;
}

bool settings_parse(const struct node *map, enum setting_place place,
                    const char *what, struct settings *out, struct diags *diags)
{
    const char *keys[SETTINGS_MAX];
    size_t n = settings_names(place, keys);
    size_t before = diags->errors;

    for (const struct setting *row = rows; row < rows + ROWS; row++) {
        const struct node *node = node_find(map, row->name);
        union value value = {0};

        if (row->place != place)
            continue;
        if (node != NULL && parse_row(node, row, &value, diags))
            set(out, row, value);
    }
    if (place == SETTING_MODEL)
        node_only_keys(map, what, keys, n, diags);
    return diags->errors == before;
}

bool settings_parse_one(const struct node *node, const char *name,
                        struct settings *out, struct diags *diags)
{
    const struct setting *row = find_row(name);
    union value value = {0};

    assert(row != NULL);
    if (!parse_row(node, row, &value, diags))
        return false;
    set(out, row, value);
    return true;
}

// --- from and to JSON ---

static bool read_row(const json_t *json, const struct setting *row,
                     union value *out)
{
    double number = json_is_number(json) ? json_number_value(json) : -1;
    bool fits =
        json_is_number(json) && number >= row->min && number <= row->max;

    switch (row->type) {
    case SETTING_INT:
        out->number = fits && json_is_integer(json)
                          ? (int32_t)json_integer_value(json)
                          : 0;
        return fits && json_is_integer(json);
    case SETTING_REAL:
        out->real = number;
        return fits;
    case SETTING_FLAG:
        out->number = json_is_true(json) ? THINK_ON : THINK_OFF;
        return json_is_boolean(json);
    case SETTING_CHOICE:
        for (int32_t i = 0; json_is_string(json) && row->choices[i] != NULL;
             i++)
            if (strcmp(json_string_value(json), row->choices[i]) == 0) {
                out->number = i;
                return true;
            }
        return false;
    }
    return false;
}

static bool take_row(const json_t *json, const struct setting *row,
                     struct settings *out, struct err *err)
{
    union value value = {0};

    if (!read_row(json, row, &value)) {
        err_set(err, ERR_INPUT, "`%s` must be %s", row->name, row->expects);
        return false;
    }
    set(out, row, value);
    return true;
}

bool settings_read(const json_t *object, enum setting_place place,
                   struct settings *out, struct err *err)
{
    for (const struct setting *row = rows; row < rows + ROWS; row++) {
        const json_t *value = json_object_get(object, row->name);

        if (row->place == place && value != NULL &&
            !take_row(value, row, out, err))
            return false;
    }
    return true;
}

bool settings_set(struct settings *settings, const char *name,
                  const json_t *value, struct err *err)
{
    const struct setting *row = find_row(name);

    if (row != NULL)
        return take_row(value, row, settings, err);
    err_set(err, ERR_INPUT, "`%.60s` cannot be tuned", name);
    return false;
}

bool settings_has(const char *name)
{
    return find_row(name) != NULL;
}

void settings_unset(struct settings *settings, const char *name)
{
    const struct setting *row = find_row(name);

    if (row != NULL)
        settings->said &= ~(UINT32_C(1) << (row - rows));
}

static json_t *row_json(const struct settings *settings,
                        const struct setting *row)
{
    union value value = get(settings, row);

    switch (row->type) {
    case SETTING_INT:
        return json_integer(value.number);
    case SETTING_REAL:
        return json_real(value.real);
    case SETTING_FLAG:
        return json_boolean(value.number == THINK_ON);
    case SETTING_CHOICE:
        return json_string(row->choices[value.number]);
    }
    return NULL;
}

// Returns true if the setting has a value to write: a flag may be set to
// "unset".
static bool has_value(const struct settings *settings,
                      const struct setting *row)
{
    return is_set(settings, row) && (row->type != SETTING_FLAG ||
                                     get(settings, row).number != THINK_UNSET);
}

bool settings_put(const struct settings *settings, enum setting_place place,
                  json_t *object)
{
    for (const struct setting *row = rows; row < rows + ROWS; row++)
        if (row->place == place && has_value(settings, row) &&
            json_object_set_new(object, row->name, row_json(settings, row)) !=
                0)
            return false;
    return true;
}

// --- as a whole ---

void settings_overlay(const struct settings *over, enum setting_place place,
                      struct settings *out)
{
    for (const struct setting *row = rows; row < rows + ROWS; row++)
        if (row->place <= place && is_set(over, row))
            set(out, row, get(over, row));
}

const char *settings_missing(const struct settings *settings)
{
    for (const struct setting *row = rows; row < rows + ROWS; row++)
        if (row->type != SETTING_FLAG && !is_set(settings, row))
            return row->name;
    return NULL;
}

void settings_mark_all_set(struct settings *settings)
{
    settings->said = (UINT32_C(1) << ROWS) - 1;
}

void settings_hash(const struct settings *settings, struct hasher *hasher)
{
    for (const struct setting *row = rows; row < rows + ROWS; row++) {
        union value value = get(settings, row);

        if (!is_set(settings, row))
            continue;
        hasher_add_text(hasher, row->name);
        if (row->type == SETTING_REAL)
            hasher_add(hasher, &value.real, sizeof value.real);
        else
            hasher_add_int(hasher, value.number);
    }
}
