#include "coordinator/models.h"

#include <stdlib.h>
#include <string.h>

void models_release(struct models *models)
{
    for (size_t i = 0; i < models->n; i++) {
        free(models->entries[i].name);
        free(models->entries[i].digest);
    }
    free(models->entries);
    *models = (struct models){0};
}

static bool make_room(struct models *models)
{
    size_t cap = models->cap == 0 ? 16 : models->cap * 2;
    struct model_entry *entries;

    if (models->n < models->cap)
        return true;
    entries = realloc(models->entries, cap * sizeof *entries);
    if (entries == NULL)
        return false;
    models->entries = entries;
    models->cap = cap;
    return true;
}

int32_t models_number(struct models *models, const char *name,
                      const char *digest, struct err *err)
{
    struct model_entry entry = {0};

    for (size_t i = 0; i < models->n; i++)
        if (models_same(models->entries[i].name, name) &&
            strcmp(models->entries[i].digest, digest) == 0)
            return (int32_t)i;
    entry.name = strdup(name);
    entry.digest = strdup(digest);
    if (entry.name == NULL || entry.digest == NULL || !make_room(models)) {
        free(entry.name);
        free(entry.digest);
        err_nomem(err, "a model's name");
        return -1;
    }
    models->entries[models->n] = entry;
    return (int32_t)models->n++;
}

bool models_simulated(const char *digest)
{
    return strncmp(digest, MODELS_SIMULATED, strlen(MODELS_SIMULATED)) == 0;
}

bool models_revision(const char *digest)
{
    return strncmp(digest, MODELS_REVISION, strlen(MODELS_REVISION)) == 0;
}

static const char *skip_mark(const char *digest)
{
    return digest + (models_simulated(digest) ? strlen(MODELS_SIMULATED) : 0);
}

const char *models_worker_digest(const char *digest)
{
    digest = skip_mark(digest);
    return models_revision(digest) ? "" : digest;
}

bool models_fits(const char *digest, const char *seen)
{
    return models_simulated(digest) == models_simulated(seen) &&
           strcmp(models_worker_digest(digest), skip_mark(seen)) == 0;
}

// The length of a name without the tag that is meant when there is none.
static size_t bare_length(const char *name)
{
    static const char latest[] = ":latest";
    size_t len = strlen(name);
    size_t tag = sizeof latest - 1;

    if (len > tag && strcmp(name + len - tag, latest) == 0)
        return len - tag;
    return len;
}

bool models_same(const char *a, const char *b)
{
    size_t len = bare_length(a);

    return len == bare_length(b) && memcmp(a, b, len) == 0;
}
