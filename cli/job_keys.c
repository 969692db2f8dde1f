#include "cli/job_keys.h"

#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "search/optimizers/optimizer.h"

enum { KEY_BYTES = 200, SCHEMA_BYTES = 1 << 20, DEEPEST = 4 };

extern const char job_schema[]; // docs/job.schema.json

static void put_key(const char *key, struct buf *out)
{
    buf_printf(out, "%s%s=", out->len > 0 ? " " : "", key);
}

// Follows a reference such as "#/$defs/models"; a schema without $ref leads to
// itself.
static const json_t *follow(const json_t *defs, const json_t *schema)
{
    const char *ref = json_get_text(schema, "$ref", NULL);
    const char *name = ref == NULL ? NULL : strrchr(ref, '/');

    return name == NULL ? schema : json_object_get(defs, name + 1);
}

// Returns true for a map whose keys are all known, so that each of them can be
// set. Other maps are set as a whole.
static bool is_of_known_keys(const json_t *schema)
{
    return json_is_object(json_object_get(schema, "properties")) &&
           json_is_false(json_object_get(schema, "additionalProperties"));
}

static void put_keys(const json_t *defs, const json_t *schema,
                     const char *before, int depth, struct buf *out)
{
    const json_t *properties = json_object_get(schema, "properties");
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)properties, name, value) {
        const json_t *inner = follow(defs, value);
        char key[KEY_BYTES];

        (void)snprintf(key, sizeof key, "%s%s%s", before,
                       before[0] == '\0' ? "" : ".", name);
        if (depth < DEEPEST && is_of_known_keys(inner))
            put_keys(defs, inner, key, depth + 1, out);
        else
            put_key(key, out);
    }
}

static void put_params(struct buf *out)
{
    char key[KEY_BYTES];

    for (size_t i = 0; optimizers[i] != NULL; i++)
        for (size_t p = 0; p < optimizers[i]->n_params; p++) {
            (void)snprintf(key, sizeof key, "optimizer.%s.%s",
                           optimizers[i]->name, optimizers[i]->params[p].name);
            put_key(key, out);
        }
}

void job_keys_put(struct buf *out)
{
    struct err ignored = ERR_CLEAR; // the schema is our own
    json_t *schema =
        json_parse(job_schema, strlen(job_schema), SCHEMA_BYTES, &ignored);

    put_keys(json_object_get(schema, "$defs"), schema, "", 0, out);
    put_params(out);
    json_decref(schema);
}
