#include "worker/restart.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>

// The commands are real, and the time is virtual.

static struct restart restart;

// Returns how often the command began within that time; each run ends before
// the next look.
static int begun(const char *command, int64_t within_ms)
{
    int n = 0;

    restart.command = command;
    for (int64_t now = 0; now < within_ms; now += 1000) {
        restart_begin(&restart, "w", "it does not answer", now);
        if (restart.pid == 0)
            continue;
        n++;
        siginfo_t info;
        cr_assert_eq(waitid(P_PID, (id_t)restart.pid, &info, WEXITED | WNOWAIT),
                     0);
        restart_tend(&restart, "w", now);
        cr_assert_eq(restart.pid, 0);
    }
    return n;
}

Test(restart, server_is_given_time_to_start)
{
    cr_expect_eq(begun("true", 60000), 1);
}

Test(restart, failed_command_is_retried_in_a_few_seconds)
{
    cr_expect_eq(begun("false", 60000), 12);
}

// We ignore these two. A server that inherited that would keep working for
// clients that have gone, and would not learn that its file is full.
Test(restart, command_runs_with_default_signal_handling)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    cr_expect_eq(begun("kill -PIPE $$; true", 60000), 12, "it does not die");
    restart = (struct restart){0};
    cr_expect_eq(begun("kill -XFSZ $$; true", 60000), 12, "it does not die");
}
