#include "common/crypto.h"

#include <pthread.h>

#include <sodium.h>

static void prepare(void)
{
    // It fails without entropy, but nothing here draws random numbers from the
    // system.
    int ready = sodium_init();

    (void)ready;
}

void crypto_ready(void)
{
    static pthread_once_t prepared = PTHREAD_ONCE_INIT;

    (void)pthread_once(&prepared, prepare);
}
