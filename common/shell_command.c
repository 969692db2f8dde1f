#include "common/shell_command.h"

#include <signal.h>

#include "common/descriptors.h"

static int set_up(posix_spawnattr_t *attributes)
{
    static const int usual[] = {SIGPIPE, SIGXFSZ, SIGINT, SIGTERM};
    sigset_t none, reset;
    int failed = posix_spawnattr_init(attributes);

    if (failed != 0)
        return failed;
    (void)sigemptyset(&none);
    (void)sigemptyset(&reset);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        (void)sigaddset(&reset, usual[i]);
    (void)posix_spawnattr_setpgroup(attributes, 0);
    (void)posix_spawnattr_setsigmask(attributes, &none);
    (void)posix_spawnattr_setsigdefault(attributes, &reset);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP |
                                                    POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
}

int shell_command_start(const char *command,
                        const posix_spawn_file_actions_t *streams,
                        char *const *environment, pid_t *pid)
{
    char *const words[] = {"sh", "-c", (char *)command, NULL};
    posix_spawnattr_t attributes;
    int failed = set_up(&attributes);

    if (failed != 0)
        return failed;
    descriptors_close_on_exec();
    failed =
        posix_spawn(pid, "/bin/sh", streams, &attributes, words, environment);
    (void)posix_spawnattr_destroy(&attributes);
    return failed;
}
