#include "common/rng.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "common/crypto.h"

static uint64_t get_u64(const uint8_t in[8])
{
    uint64_t value = 0;

    for (int i = 7; i >= 0; i--)
        value = value << 8 | in[i];
    return value;
}

// key = BLAKE2b-256("promptcc rng", seed, index, purpose). All fields but the
// last have a fixed length, so no two names give the same bytes.
void rng_init(struct rng *rng, uint64_t seed, const char *purpose,
              uint64_t index)
{
    static const char domain[] = "promptcc rng";
    uint8_t numbers[16];
    crypto_generichash_state state;

    crypto_ready();
    *rng = (struct rng){.at = RNG_BLOCK};
    crypto_put_u64(numbers, seed);
    crypto_put_u64(numbers + 8, index);
    (void)crypto_generichash_init(&state, NULL, 0, sizeof rng->key);
    (void)crypto_generichash_update(&state, (const uint8_t *)domain,
                                    strlen(domain));
    (void)crypto_generichash_update(&state, numbers, sizeof numbers);
    (void)crypto_generichash_update(&state, (const uint8_t *)purpose,
                                    strlen(purpose));
    (void)crypto_generichash_final(&state, rng->key, sizeof rng->key);
}

// The block number is the nonce; the cipher's own counter starts at 0 in each
// block.
static void refill(struct rng *rng)
{
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

    static_assert(sizeof nonce == 8, "the nonce holds one block number");
    crypto_put_u64(nonce, rng->block++);
    (void)crypto_stream_chacha20(rng->buffer, RNG_BLOCK, nonce, rng->key);
    rng->at = 0;
}

uint64_t rng_u64(struct rng *rng)
{
    if (rng->at == RNG_BLOCK)
        refill(rng);
    uint64_t value = get_u64(rng->buffer + rng->at);
    rng->at += 8;
    return value;
}

// Redraws the lowest 2^64 mod bound values, so that each remainder is equally
// likely.
uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    assert(bound > 0);

    uint64_t refused = (UINT64_MAX - bound + 1) % bound;
    uint64_t value = 0;
    do {
        value = rng_u64(rng);
    } while (value < refused);
    return value % bound;
}

double rng_double(struct rng *rng)
{
    return (double)(rng_u64(rng) >> 11) * 0x1p-53;
}

static void swap(size_t *a, size_t *b)
{
    size_t kept = *a;

    *a = *b;
    *b = kept;
}

void rng_shuffle(struct rng *rng, size_t *items, size_t n)
{
    for (size_t left = n; left > 1; left--)
        swap(&items[left - 1], &items[rng_below(rng, left)]);
}

void rng_sample(struct rng *rng, size_t n, size_t k, size_t *out)
{
    assert(k <= n);

    for (size_t i = 0; i < n; i++)
        out[i] = i;
    for (size_t i = 0; i < k; i++)
        swap(&out[i], &out[i + rng_below(rng, n - i)]);
}
