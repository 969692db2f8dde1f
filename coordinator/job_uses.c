#include "coordinator/job_uses.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64, WORDS_LEAST = 16 };

// The bits of WORD_BITS consecutive calls.
struct use_bits {
    uint64_t used;
    uint64_t paid; // by job_uses_pay
};

static uint64_t bit_of(int64_t call)
{
    return UINT64_C(1) << ((size_t)call % WORD_BITS);
}

// Returns the call's word; NULL when out of memory.
static struct use_bits *get_word(struct job_uses *uses, int64_t call)
{
    size_t word = (size_t)call / WORD_BITS;

    if (word < uses->n_words)
        return &uses->words[word];
    size_t n = uses->n_words < WORDS_LEAST ? WORDS_LEAST : 2 * uses->n_words;
    n = n > word ? n : word + 1;
    struct use_bits *words = realloc(uses->words, n * sizeof *words);
    if (words == NULL)
        return NULL;
    memset(words + uses->n_words, 0, (n - uses->n_words) * sizeof *words);
    uses->words = words;
    uses->n_words = n;
    return &words[word];
}

void job_uses_pay(struct job_uses *uses, int64_t call)
{
    struct use_bits *word = get_word(uses, call);
    uint64_t bit = bit_of(call);

    if (word == NULL || ((word->paid | word->used) & bit) != 0)
        return;
    word->paid |= bit;
    uses->ahead++;
}

void job_uses_add(struct job_uses *uses, int64_t call)
{
    struct use_bits *word = get_word(uses, call);
    uint64_t bit = bit_of(call);

    uses->all++;
    if (word == NULL || (word->used & bit) != 0)
        return;
    word->used |= bit;
    uses->each++;
    uses->ahead -= (word->paid & bit) != 0;
}

void job_uses_release(struct job_uses *uses)
{
    free(uses->words);
    *uses = (struct job_uses){0};
}

int64_t job_uses_free_of_cost(const struct job_uses *uses, int64_t paid)
{
    int64_t used = paid - uses->ahead;

    return uses->all - (used < uses->each ? used : uses->each);
}
