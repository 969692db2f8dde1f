#include "common/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MAP_FIRST = 64 };

static size_t probe(const struct map *map, const struct hash *key)
{
    uint64_t first;

    memcpy(&first, key->bytes, sizeof first);
    return (size_t)first & (map->cap - 1);
}

// Returns the place of key, or the free place where it would go.
static struct map_place *locate(const struct map *map, const struct hash *key)
{
    size_t i = probe(map, key);

    while (map->places[i].value != NULL &&
           !hash_equal(&map->places[i].key, key))
        i = (i + 1) & (map->cap - 1);
    return &map->places[i];
}

static bool grow(struct map *map)
{
    struct map bigger = {.cap = map->cap == 0 ? MAP_FIRST : map->cap * 2};

    bigger.places = calloc(bigger.cap, sizeof *bigger.places);
    if (bigger.places == NULL)
        return false;
    for (size_t i = 0; i < map->cap; i++)
        if (map->places[i].value != NULL)
            *locate(&bigger, &map->places[i].key) = map->places[i];
    bigger.n = map->n;
    free(map->places);
    *map = bigger;
    return true;
}

void map_release(struct map *map)
{
    free(map->places);
    *map = MAP_INIT;
}

void *map_find(const struct map *map, const struct hash *key)
{
    return map->cap == 0 ? NULL : locate(map, key)->value;
}

bool map_put(struct map *map, const struct hash *key, void *value)
{
    struct map_place *place;

    assert(value != NULL);
    if ((map->n + 1) * 3 > map->cap * 2 && !grow(map))
        return false;
    place = locate(map, key);
    if (place->value == NULL)
        map->n++;
    *place = (struct map_place){.key = *key, .value = value};
    return true;
}

// Closes the hole at `hole`, so that no later key loses its probe path.
static void shift_back(struct map *map, size_t hole)
{
    size_t mask = map->cap - 1;

    for (size_t i = (hole + 1) & mask; map->places[i].value != NULL;
         i = (i + 1) & mask) {
        size_t home = probe(map, &map->places[i].key);

        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->places[hole] = map->places[i];
            map->places[i].value = NULL;
            hole = i;
        }
    }
}

void *map_remove(struct map *map, const struct hash *key)
{
    struct map_place *place;
    void *value;

    if (map->cap == 0)
        return NULL;
    place = locate(map, key);
    value = place->value;
    if (value == NULL)
        return NULL;
    place->value = NULL;
    map->n--;
    shift_back(map, (size_t)(place - map->places));
    return value;
}

bool map_next(const struct map *map, size_t *at, struct hash *key, void **value)
{
    while (*at < map->cap) {
        const struct map_place *place = &map->places[(*at)++];

        if (place->value != NULL) {
            *key = place->key;
            *value = place->value;
            return true;
        }
    }
    return false;
}

struct hash map_number(int64_t number)
{
    // Multiplying by an odd number permutes the 64-bit numbers: spread, and
    // unique.
    uint64_t spread = (uint64_t)number * UINT64_C(0x9E3779B97F4A7C15);
    struct hash key = {0};

    spread ^= spread >> 32;
    memcpy(key.bytes, &spread, sizeof spread);
    return key;
}
