#include "exec/exec_folder.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "common/file.h"

static char temporary[] = "/tmp/exec-folder-XXXXXX";
static struct err err;

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(temporary));
    cr_assert_eq(setenv("TMPDIR", temporary, 1), 0);
}

// Fails when something is left in the folder.
static void tear_down(void)
{
    cr_expect_eq(rmdir(temporary), 0, "something is left in %s", temporary);
}

TestSuite(exec_folder, .init = set_up, .fini = tear_down);

static struct exec_folder *make(void)
{
    struct exec_folder *folder = exec_folder_make(&err);
    char path[512];

    cr_assert_not_null(folder, "%s", err.text);
    (void)snprintf(path, sizeof path, "%s/metric.sh",
                   exec_folder_files(folder));
    cr_assert(file_write(path, "x", 1, &err), "%s", err.text);
    return folder;
}

Test(exec_folder, is_removed_with_all_its_contents)
{
    exec_folder_remove(make());
}

Test(exec_folder, of_a_live_process_is_kept)
{
    struct exec_folder *folder = make();

    cr_expect_eq(exec_folder_sweep(), 0);
    cr_expect_eq(access(exec_folder_files(folder), F_OK), 0);
    exec_folder_remove(folder);
}

Test(exec_folder, of_a_killed_process_is_removed)
{
    int made[2];
    char byte;

    cr_assert_eq(pipe(made), 0);
    pid_t other = fork();
    if (other == 0) {
        (void)make();
        (void)!write(made[1], "x", 1);
        for (;;)
            (void)pause();
    }
    cr_assert_eq(read(made[0], &byte, 1), 1);
    cr_expect_eq(exec_folder_sweep(), 0);
    cr_assert_eq(kill(other, SIGKILL), 0);
    (void)waitpid(other, NULL, 0);
    cr_expect_eq(exec_folder_sweep(), 1);
    (void)close(made[0]);
    (void)close(made[1]);
}
