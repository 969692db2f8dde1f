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
