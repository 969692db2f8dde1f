#include "common/descriptors.h"

#include <sys/resource.h>

// What an unlimited system is taken for.
enum { LIMIT_MOST = 1 << 20 };

void descriptors_raise(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    // Refused where the hard limit is above what the system allows: then the
    // soft one stays.
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

size_t descriptors_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    return limit.rlim_cur < LIMIT_MOST ? (size_t)limit.rlim_cur : LIMIT_MOST;
}
