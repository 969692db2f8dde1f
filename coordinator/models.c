#include "coordinator/models.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/model_name.h"

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

static int32_t find_entry(const struct models *models, const char *name,
                          const char *digest)
{
    for (size_t i = 0; i < models->n; i++)
        if (models->entries[i].name != NULL &&
            model_name_same(models->entries[i].name, name) &&
            strcmp(models->entries[i].digest, digest) == 0)
            return (int32_t)i;
    return -1;
}

// Returns a free number with room for its entry; -1 when out of memory.
static int32_t free_number(struct models *models)
{
    for (size_t i = 0; i < models->n; i++)
        if (models->entries[i].name == NULL)
            return (int32_t)i;
    if (!make_room(models))
        return -1;
    models->entries[models->n] = (struct model_entry){0};
    return (int32_t)models->n++;
}

int32_t models_use(struct models *models, const char *name, const char *digest,
                   struct err *err)
{
    struct model_entry entry = {.users = 1};
    int32_t number = find_entry(models, name, digest);

    if (number >= 0) {
        models->entries[number].users++;
        return number;
    }
    number = free_number(models);
    entry.name = strdup(name);
    entry.digest = strdup(digest);
    if (entry.name == NULL || entry.digest == NULL || number < 0) {
        free(entry.name);
        free(entry.digest);
        err_nomem(err, "a model's name");
        return -1;
    }
    models->entries[number] = entry;
    return number;
}

void models_drop(struct models *models, int32_t number)
{
    struct model_entry *entry = &models->entries[number];

    assert(entry->users > 0);
    if (--entry->users > 0)
        return;
    free(entry->name);
    free(entry->digest);
    *entry = (struct model_entry){0};
}

bool models_is_simulated(const char *digest)
{
    return strncmp(digest, MODELS_SIMULATED, strlen(MODELS_SIMULATED)) == 0;
}

bool models_is_revision(const char *digest)
{
    return strncmp(digest, MODELS_REVISION, strlen(MODELS_REVISION)) == 0;
}

static const char *skip_mark(const char *digest)
{
    return digest +
           (models_is_simulated(digest) ? strlen(MODELS_SIMULATED) : 0);
}

const char *models_worker_digest(const char *digest)
{
    digest = skip_mark(digest);
    return models_is_revision(digest) ? "" : digest;
}

bool models_digest_fits(const char *digest, const char *seen)
{
    return models_is_simulated(digest) == models_is_simulated(seen) &&
           strcmp(models_worker_digest(digest), skip_mark(seen)) == 0;
}
