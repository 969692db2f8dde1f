#include "common/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

// What an unlimited system is taken for.
enum { LIMIT_MOST = 1 << 20 };

void descriptors_fill_standard(void)
{
    // Each is opened for what nobody does with it.
    static const int USELESS[] = {
        [STDIN_FILENO] = O_WRONLY,
        [STDOUT_FILENO] = O_RDONLY,
        [STDERR_FILENO] = O_RDONLY,
    };

    // open takes the lowest number that is free, which is this one.
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1)
            (void)open("/dev/null", USELESS[fd]);
}

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
