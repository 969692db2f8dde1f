#include "retrieve/vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/map.h"
#include "common/vector.h"

enum {
    ONE = 32767,
    ALL_MAX_BYTES = 1 << 30,
};

struct direction {
    size_t n;
    int16_t numbers[];
};

struct vectors {
    struct map by_text; // owns its values
    size_t size;        // numbers in each; 0: not known yet
    size_t bytes;
};

struct vectors *vectors_new(struct err *err)
{
    struct vectors *vectors = calloc(1, sizeof *vectors);

    if (vectors == NULL)
        err_nomem(err, "embeddings");
    else
        vectors->by_text = MAP_INIT;
    return vectors;
}

void vectors_free(struct vectors *vectors)
{
    struct hash key;
    size_t at = 0;
    void *value = NULL;

    if (vectors == NULL)
        return;
    while (map_next(&vectors->by_text, &at, &key, &value))
        free(value);
    map_release(&vectors->by_text);
    free(vectors);
}

size_t vectors_size(const struct vectors *vectors)
{
    return vectors->size;
}

// --- reading ---

// A double can hold the squares of all floats, however large or small.
static struct direction *make_direction(const float *numbers, size_t n)
{
    struct direction *made = malloc(sizeof *made + n * sizeof *made->numbers);
    double sum = 0;

    if (made == NULL)
        return NULL;
    made->n = n;
    for (size_t i = 0; i < n; i++)
        sum += (double)numbers[i] * (double)numbers[i];
    for (size_t i = 0; i < n; i++)
        made->numbers[i] =
            (int16_t)lround((double)numbers[i] / sqrt(sum) * ONE);
    return made;
}

struct direction *vectors_read(const struct vectors *vectors,
                               const char *answer, size_t answer_len,
                               struct err *err)
{
    float numbers[VECTOR_MAX];
    struct direction *made;
    size_t n = 0;

    if (!vector_read(answer, answer_len, numbers, &n, err))
        return NULL;
    if (vectors->size != 0 && n != vectors->size) {
        err_set(err, ERR_PROTOCOL,
                "an embedding has %zu numbers, but earlier ones have %zu: they "
                "cannot come from the same model",
                n, vectors->size);
        return NULL;
    }
    made = make_direction(numbers, n);
    if (made == NULL)
        err_nomem(err, "embeddings");
    return made;
}

static struct hash key_of(const char *text, size_t len)
{
    return hash_of("embedded text", text, len);
}

bool vectors_put(struct vectors *vectors, const char *text, size_t len,
                 const char *answer, size_t answer_len, struct err *err)
{
    struct hash key = key_of(text, len);
    struct direction *made = vectors_read(vectors, answer, answer_len, err);
    size_t bytes;

    if (made == NULL)
        return false;
    bytes = sizeof *made + made->n * sizeof *made->numbers;
    if (map_find(&vectors->by_text, &key) != NULL) {
        free(made);
        return true;
    }
    if (vectors->bytes + bytes > ALL_MAX_BYTES)
        err_set(err, ERR_LIMIT,
                "the embeddings take more than %d MiB of memory: search fewer "
                "documents, or use a model with shorter embeddings",
                ALL_MAX_BYTES >> 20);
    else if (!map_put(&vectors->by_text, &key, made))
        err_nomem(err, "embeddings");
    else {
        vectors->size = made->n;
        vectors->bytes += bytes;
        return true;
    }
    free(made);
    return false;
}

const struct direction *vectors_find(const struct vectors *vectors,
                                     const char *text, size_t len)
{
    struct hash key = key_of(text, len);

    return map_find(&vectors->by_text, &key);
}

// --- searching ---

// Both have length ONE, so apart from the rounding of single numbers no
// intermediate sum exceeds ONE * ONE; 32 bits have room for twice that.
static int32_t cosine(const struct direction *a, const struct direction *b)
{
    int32_t sum = 0;

    for (size_t i = 0; i < a->n; i++)
        sum += a->numbers[i] * b->numbers[i];
    return sum;
}

// Inserts i into its place among the `found` nearest so far, and drops the last
// one if there are more than k.
static void rank(size_t i, int32_t near, size_t k, size_t found,
                 int32_t *cosines, size_t *out)
{
    size_t at = found < k ? found : k - 1;

    for (; at > 0 && cosines[at - 1] < near; at--) {
        cosines[at] = cosines[at - 1];
        out[at] = out[at - 1];
    }
    cosines[at] = near;
    out[at] = i;
}

bool vectors_nearest(const struct direction *to,
                     const struct direction *const *list, size_t n, size_t k,
                     size_t *out, size_t *found, struct err *err)
{
    int32_t *cosines = calloc(k + 1, sizeof *cosines);

    *found = 0;
    if (cosines == NULL) {
        err_nomem(err, "passages");
        return false;
    }
    for (size_t i = 0; k > 0 && i < n; i++) {
        int32_t near = list[i] == NULL ? 0 : cosine(to, list[i]);

        if (list[i] == NULL || (*found == k && near <= cosines[k - 1]))
            continue;
        rank(i, near, k, *found, cosines, out);
        *found += *found < k;
    }
    free(cosines);
    return true;
}
