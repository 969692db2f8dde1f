#include "cli/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/shell_command.h"
#include "common/text.h"

extern char **environ;

enum { COMMAND_MS = 30000, LOOK_MS = 20, ENVIRONMENT_BYTES = 400 };

struct variable {
    char text[ENVIRONMENT_BYTES];
};

// Returns the environment with three more variables in front; the caller frees
// the array.
static char **make_environment(const json_t *event, struct variable added[3])
{
    size_t n = 0;
    char **all;

    (void)text_print(added[0].text, ENVIRONMENT_BYTES, "PROMPTCC_EVENT=%s",
                     json_get_text(event, "event", ""));
    (void)text_print(added[1].text, ENVIRONMENT_BYTES, "PROMPTCC_JOB=%s",
                     json_get_text(event, "job", ""));
    (void)text_print(added[2].text, ENVIRONMENT_BYTES, "PROMPTCC_SCORE=%.6g",
                     json_get_number(event, "score", 0));
    while (environ[n] != NULL)
        n++;
    all = calloc(n + 4, sizeof *all);
    for (size_t i = 0; all != NULL && i < 3; i++)
        all[i] = added[i].text;
    if (all != NULL)
        memcpy(all + 3, environ, n * sizeof *all);
    return all;
}

// Starts the command with the event on its standard input, and what it prints
// on our standard error.
static bool spawn(const char *command, int in, char **environment, pid_t *pid,
                  char why[HOOK_WHY_BYTES])
{
    posix_spawn_file_actions_t streams;
    int failed;

    (void)posix_spawn_file_actions_init(&streams);
    (void)posix_spawn_file_actions_adddup2(&streams, in, STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&streams, STDERR_FILENO,
                                           STDOUT_FILENO);
    failed = shell_command_start(command, &streams, environment, pid);
    (void)posix_spawn_file_actions_destroy(&streams);
    if (failed != 0)
        (void)text_print(why, HOOK_WHY_BYTES, "it cannot be started: %s",
                         strerror(failed));
    return failed == 0;
}

// Waits for the command, and kills its group when its time is up. Returns false
// and why it failed.
static bool await(const struct hook_event *event, pid_t pid,
                  char why[HOOK_WHY_BYTES])
{
    int64_t end = clock_monotonic_ms() + COMMAND_MS;
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};

        if (clock_monotonic_ms() > end || event->is_late(event->user)) {
            (void)kill(-pid, SIGKILL);
            (void)waitpid(pid, &status, 0);
            (void)text_print(why, HOOK_WHY_BYTES, "it took too long");
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    if (WIFEXITED(status))
        (void)text_print(why, HOOK_WHY_BYTES, "it ended with status %d",
                         WEXITSTATUS(status));
    else
        (void)text_print(why, HOOK_WHY_BYTES, "it was ended by signal %d",
                         WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Opens an unnamed file that holds the event as one line, so that `cat >> FILE`
// collects JSON lines. A pipe would block if the command does not read.
static int open_text(const char *text, char why[HOOK_WHY_BYTES])
{
    char *path = file_join(file_temp_folder(), "promptcc-event-XXXXXX");
    int fd = path == NULL ? -1 : mkstemp(path);
    bool ok = fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
              dprintf(fd, "%s\n", text) == (int)strlen(text) + 1 &&
              lseek(fd, 0, SEEK_SET) == 0;

    if (!ok)
        (void)text_print(why, HOOK_WHY_BYTES,
                         "its input cannot be written in %s, which TMPDIR "
                         "may change: %s",
                         FILE_SHOWN(file_temp_folder(), 80), strerror(errno));
    if (fd >= 0)
        (void)unlink(path);
    if (fd >= 0 && !ok)
        (void)close(fd);
    free(path);
    return ok ? fd : -1;
}

bool hook_run(const struct hook_event *event, const char *command,
              char why[HOOK_WHY_BYTES])
{
    struct variable added[3];
    char **environment = make_environment(event->json, added);
    bool ok = false;
    int fd = -1;
    pid_t pid;

    if (environment == NULL)
        (void)text_print(why, HOOK_WHY_BYTES,
                         "there is no memory for its environment");
    else
        fd = open_text(event->text, why);
    if (fd >= 0 && spawn(command, fd, environment, &pid, why))
        ok = await(event, pid, why);
    if (fd >= 0)
        (void)close(fd);
    free(environment);
    return ok;
}
