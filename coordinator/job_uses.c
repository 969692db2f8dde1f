#include "coordinator/job_uses.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64, WORDS_LEAST = 16 };

static bool has_word(struct job_uses *uses, size_t word)
{
    if (word < uses->n_words)
        return true;
    size_t n = uses->n_words < WORDS_LEAST ? WORDS_LEAST : 2 * uses->n_words;
    n = n > word ? n : word + 1;
    uint64_t *bits = realloc(uses->bits, n * sizeof *bits);
    if (bits == NULL)
        return false;
    memset(bits + uses->n_words, 0, (n - uses->n_words) * sizeof *bits);
    uses->bits = bits;
    uses->n_words = n;
    return true;
}

void job_uses_add(struct job_uses *uses, int64_t call)
{
    size_t word = (size_t)call / WORD_BITS;
    uint64_t bit = UINT64_C(1) << ((size_t)call % WORD_BITS);

    uses->all++;
    if (!has_word(uses, word) || (uses->bits[word] & bit) != 0)
        return;
    uses->bits[word] |= bit;
    uses->each++;
}

void job_uses_release(struct job_uses *uses)
{
    free(uses->bits);
    *uses = (struct job_uses){0};
}

int64_t job_uses_free_of_cost(const struct job_uses *uses, int64_t paid)
{
    return uses->all - (paid < uses->each ? paid : uses->each);
}
