#include "cli/sbatch.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"

extern char **environ;

// Reads to the end, or as much as there is room for.
static void read_all(int fd, char *out, size_t size)
{
    size_t len = 0;
    ssize_t got = 1;

    while (got > 0 && len + 1 < size) {
        got = read(fd, out + len, size - 1 - len);
        if (got > 0)
            len += (size_t)got;
    }
    out[len] = '\0';
}

// Starts sbatch. Returns 0, or why it could not be started as an errno; *out is
// then what it prints, to be read and closed.
static int start(char *const *words, pid_t *pid, int *out)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    int failed;

    if (pipe(ends) != 0)
        return errno;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    // Close both ends in whatever sbatch leaves running, or our read would wait
    // for that too.
    (void)posix_spawn_file_actions_addclose(&actions, ends[0]);
    (void)posix_spawn_file_actions_addclose(&actions, ends[1]);
    failed = posix_spawnp(pid, words[0], &actions, NULL, words, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    if (failed != 0)
        (void)close(ends[0]);
    *out = ends[0];
    return failed;
}

bool sbatch_submit(const char *script, const char *argument,
                   char id[static SBATCH_ID_BYTES], struct err *err)
{
    char *const words[] = {"sbatch", "--parsable",
                           (char *)(argument == NULL ? script : argument),
                           (char *)(argument == NULL ? NULL : script), NULL};
    pid_t pid = 0;
    int out = -1, status = -1;
    int failed = start(words, &pid, &out);

    if (failed != 0) {
        err_set(err, ERR_INPUT,
                "cannot run sbatch: %s; run this where Slurm is, or with "
                "--dry-run and submit %s yourself",
                strerror(failed), FILE_SHOWN(script, 100));
        return false;
    }
    read_all(out, id, SBATCH_ID_BYTES);
    (void)close(out);
    (void)waitpid(pid, &status, 0);
    id[strcspn(id, ";\r\n")] = '\0'; // "NUMBER;CLUSTER"
    if (status == 0 && id[0] != '\0' && strspn(id, "0123456789") == strlen(id))
        return true;
    err_set(err, ERR_INPUT, "sbatch refused %s: its reason is above",
            FILE_SHOWN(script, 150));
    return false;
}
