#include "wire/inproc.h"

#include <stdatomic.h>
#include <stdio.h>

void inproc_name(char name[static INPROC_NAME_BYTES], const char *what)
{
    static atomic_ullong made;

    (void)snprintf(name, INPROC_NAME_BYTES, "inproc://%.20s-%llu", what,
                   atomic_fetch_add(&made, 1));
}
