// crypto: what hash and rng share of libsodium.

#ifndef COMMON_CRYPTO_H
#define COMMON_CRYPTO_H

#include <stdint.h>

// Lets libsodium look what the processor can do, once: without it everything
// works, but slowly. Any thread, any number of times.
void crypto_ready(void);

// Little endian on every machine.
void crypto_put_u64(uint8_t out[8], uint64_t value);

#endif
