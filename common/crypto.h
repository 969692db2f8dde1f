// crypto: what hash and rng both need from libsodium.

#ifndef COMMON_CRYPTO_H
#define COMMON_CRYPTO_H

#include <stdint.h>

// Lets libsodium detect what the processor supports; without this everything
// works, but slowly. May be called from any thread, any number of times.
void crypto_ready(void);

// Writes value as little endian on every machine. Spelled out so that the
// compiler turns it into a single store.
static inline void crypto_put_u64(uint8_t out[8], uint64_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
    out[2] = (uint8_t)(value >> 16);
    out[3] = (uint8_t)(value >> 24);
    out[4] = (uint8_t)(value >> 32);
    out[5] = (uint8_t)(value >> 40);
    out[6] = (uint8_t)(value >> 48);
    out[7] = (uint8_t)(value >> 56);
}

#endif
