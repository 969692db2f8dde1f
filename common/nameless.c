// O_TMPFILE is Linux-specific.
#define _GNU_SOURCE

#include "common/nameless.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int nameless_open(const char *folder, mode_t mode)
{
    return open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, mode);
}

bool nameless_name(int fd, const char *path)
{
    char open_file[40];

    (void)snprintf(open_file, sizeof open_file, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, open_file, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}
