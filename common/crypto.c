#include "common/crypto.h"

#include <pthread.h>

#include <sodium.h>

static void prepare(void)
{
    // Without entropy it fails: nothing here draws from the system.
    int ready = sodium_init();

    (void)ready;
}

void crypto_ready(void)
{
    static pthread_once_t prepared = PTHREAD_ONCE_INIT;

    (void)pthread_once(&prepared, prepare);
}

void crypto_put_u64(uint8_t out[8], uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}
