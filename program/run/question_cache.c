#include "program/run/question_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct cached_place {
    size_t row;
    int step;
    struct kept_question *question; // owned; NULL if free
};

struct question_cache {
    struct cached_place places[QUESTION_CACHE_PLACES];
};

void kept_question_unref(struct kept_question *question)
{
    assert(question == NULL || question->references > 0);
    if (question != NULL && --question->references == 0)
        free(question);
}

struct kept_question *kept_question_ref(struct kept_question *question)
{
    question->references++;
    return question;
}

struct question_cache *question_cache_new(void)
{
    return calloc(1, sizeof(struct question_cache));
}

void question_cache_free(struct question_cache *cache)
{
    for (size_t i = 0; cache != NULL && i < QUESTION_CACHE_PLACES; i++)
        kept_question_unref(cache->places[i].question);
    free(cache);
}

// The odd stride spreads the steps of a row apart, while rows stay adjacent.
static size_t place_of(size_t row, int step)
{
    return (row + (size_t)step * 389) % QUESTION_CACHE_PLACES;
}

struct kept_question *question_cache_find(const struct question_cache *cache,
                                          size_t row, int step)
{
    const struct cached_place *place = &cache->places[place_of(row, step)];

    return place->row == row && place->step == step ? place->question : NULL;
}

struct kept_question *question_cache_keep(struct question_cache *cache,
                                          size_t row, int step,
                                          const char *text, size_t len)
{
    struct cached_place *place = &cache->places[place_of(row, step)];
    struct kept_question *question =
        len > QUESTION_CACHE_BYTES ? NULL : malloc(sizeof *question + len + 1);

    if (question == NULL)
        return NULL;
    *question = (struct kept_question){.references = 1, .len = len};
    memcpy(question->text, text, len);
    question->text[len] = '\0';
    kept_question_unref(place->question);
    *place =
        (struct cached_place){.row = row, .step = step, .question = question};
    return question;
}
