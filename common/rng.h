// rng: random numbers that are the same on every machine.
//
// Each purpose has its own stream, named by the job's seed, a purpose
// ("demo-sets") and an index, so drawing more numbers in one place never shifts
// those of another. The generator is libsodium's ChaCha20 under a key derived
// from the name. Doubles are k / 2^53, and so exact everywhere.

#ifndef COMMON_RNG_H
#define COMMON_RNG_H

#include <stddef.h>
#include <stdint.h>

enum { RNG_BLOCK = 512 };

struct rng {
    uint8_t key[32];
    uint64_t block; // next block to generate
    size_t at;      // bytes of the buffer already used
    uint8_t buffer[RNG_BLOCK];
};

void rng_init(struct rng *rng, uint64_t seed, const char *purpose,
              uint64_t index);

uint64_t rng_u64(struct rng *rng);
uint64_t rng_below(struct rng *rng, uint64_t bound); // 0..bound-1, unbiased
double rng_double(struct rng *rng);                  // [0, 1)

// Fisher-Yates over items[0..n).
void rng_shuffle(struct rng *rng, size_t *items, size_t n);

// Draws k of 0..n-1 without replacement, in random order, into out[0..k). k
// must be at most n. out must hold n items, because it is also the work space.
void rng_sample(struct rng *rng, size_t n, size_t k, size_t *out);

#endif
