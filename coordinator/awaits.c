#include "coordinator/awaits.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
    [AWAITS_NOTHING] = NULL,
    [AWAITS_WORKER] = "another worker",
    [AWAITS_DISK] = "the disk",
};

const char *awaits_name(enum awaits awaits)
{
    return names[awaits];
}

enum awaits awaits_named(const char *name)
{
    for (size_t i = 1; name != NULL && i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return (enum awaits)i;
    return AWAITS_NOTHING;
}
