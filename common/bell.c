#include "common/bell.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool bell_open(struct bell *bell, const char *whose, struct err *err)
{
    bool ok = pipe(bell->ends) == 0;

    if (!ok)
        *bell = (struct bell)BELL_NONE;
    for (int i = 0; i < 2 && ok; i++)
        ok = fcntl(bell->ends[i], F_SETFD, FD_CLOEXEC) == 0 &&
             fcntl(bell->ends[i], F_SETFL, O_NONBLOCK) == 0;
    if (ok)
        return true;
    err_set(err, ERR_IO, "cannot make a pipe for %s: %s", whose,
            strerror(errno));
    bell_close(bell);
    return false;
}

void bell_close(struct bell *bell)
{
    for (int i = 0; i < 2; i++)
        if (bell->ends[i] >= 0)
            (void)close(bell->ends[i]);
    *bell = (struct bell)BELL_NONE;
}

void bell_ring(const struct bell *bell)
{
    int saved = errno;

    // If the pipe is full, it is readable anyway.
    (void)!write(bell->ends[1], "", 1);
    errno = saved;
}

void bell_clear(const struct bell *bell)
{
    char bytes[64];

    while (read(bell->ends[0], bytes, sizeof bytes) > 0)
        continue;
}

int bell_fd(const struct bell *bell)
{
    return bell->ends[0];
}
