#include "worker/restart.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>

#include "common/log.h"
#include "common/shell_command.h"

extern char **environ;

void restart_begin(struct restart *restart, const char *worker, const char *why,
                   int64_t now_ms)
{
    int64_t wait_ms = restart->failed ? RESTART_FAILED_MS : RESTART_EVERY_MS;
    int failed;

    if (restart->command == NULL || restart->pid > 0 ||
        (restart->began && now_ms - restart->began_ms < wait_ms))
        return;
    restart->began = true;
    restart->began_ms = now_ms;
    failed =
        shell_command_start(restart->command, NULL, environ, &restart->pid);
    if (failed == 0) {
        log_warn("server-restart", "worker %s: %s: running `%.200s`", worker,
                 why, restart->command);
        return;
    }
    restart->pid = 0;
    restart->failed = true;
    log_error("server-restart", "worker %s cannot run `%.200s`: %s", worker,
              restart->command, strerror(failed));
}

void restart_tend(struct restart *restart, const char *worker, int64_t now_ms)
{
    int status = 0;

    if (restart->pid == 0)
        return;
    if (waitpid(restart->pid, &status, WNOHANG) == restart->pid) {
        restart->pid = 0;
        restart->failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
        if (restart->failed)
            log_warn("server-restart", "worker %s: `%.200s` failed (%d)",
                     worker, restart->command,
                     WIFEXITED(status) ? WEXITSTATUS(status)
                                       : 128 + WTERMSIG(status));
    } else if (now_ms - restart->began_ms > RESTART_MOST_MS) {
        (void)kill(-restart->pid, SIGKILL);
    }
}

void restart_end(struct restart *restart)
{
    if (restart->pid == 0)
        return;
    (void)kill(-restart->pid, SIGKILL);
    (void)waitpid(restart->pid, NULL, 0);
    restart->pid = 0;
}
