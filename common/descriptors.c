// close_range is Linux-specific.
#define _GNU_SOURCE

#include "common/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    LIMIT_MOST = 1 << 20, // used if there is no limit
    LOOK_MOST = 1 << 16,  // at most this many are marked one by one
    ON_EXEC = 1 << 2,     // CLOSE_RANGE_CLOEXEC, missing in older headers
};

void descriptors_fill_standard(void)
{
    // Each is opened in the direction that nobody uses.
    static const int USELESS[] = {
        [STDIN_FILENO] = O_WRONLY,
        [STDOUT_FILENO] = O_RDONLY,
        [STDERR_FILENO] = O_RDONLY,
    };

    // open takes the lowest free number, which is this one.
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
    // Refused if the hard limit is above what the system allows; the soft limit
    // then stays.
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

size_t descriptors_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    return limit.rlim_cur < LIMIT_MOST ? (size_t)limit.rlim_cur : LIMIT_MOST;
}

bool descriptors_suffice(size_t least, struct err *err)
{
    size_t limit = descriptors_limit();

    if (limit < least)
        err_set(err, ERR_LIMIT,
                "this process may have %zu files open, and needs %zu: raise "
                "the limit (`ulimit -n 1024`) and run the same command again",
                limit, least);
    return limit >= least;
}

void descriptors_close_on_exec(void)
{
    long most = sysconf(_SC_OPEN_MAX);

#ifdef SYS_close_range
    if (syscall(SYS_close_range, STDERR_FILENO + 1U, ~0U, ON_EXEC) == 0)
        return;
#endif
    if (most < 0 || most > LOOK_MOST)
        most = LOOK_MOST;
    for (int fd = STDERR_FILENO + 1; fd < (int)most; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}
