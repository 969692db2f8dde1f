#include "worker/llama_server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"

// The program is a script, and the time is virtual.

static char folder[] = "/tmp/test-llama-server-XXXXXX";

static void put(const char *name, const char *text, mode_t mode)
{
    char path[200];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    cr_assert_eq(chmod(path, mode), 0);
}

static void drop(const char *name)
{
    char path[200];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
}

// Waits until the script has ended, without tending the server.
static void await_end(void)
{
    siginfo_t info;

    cr_assert_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
}

static bool has_child(void)
{
    siginfo_t info = {0};

    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// Tends the server as its owner does until the script runs again; returns how
// long that took.
static int64_t starts_after(struct llama_server *server, int64_t *now)
{
    int64_t since = *now;

    await_end();
    do {
        llama_server_tend(server, *now);
        *now += 100;
    } while (!has_child());
    return *now - 100 - since;
}

Test(llama_server, server_that_failed_all_night_restarts_soon_after_the_repair)
{
    char model[200], path[300];
    struct err err = ERR_CLEAR;
    struct llama_server *server;
    int64_t now = 1000000, first;

    log_set_level(LOG_SILENT);
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s:/usr/bin:/bin", folder);
    cr_assert_eq(setenv("PATH", path, 1), 0);
    put("llama-server", "#!/bin/sh\nexit 3\n", 0755);
    put("m.gguf", "GGUF", 0600);
    (void)snprintf(model, sizeof model, "%s/m.gguf", folder);
    server = llama_server_start(model, &err);
    cr_assert_not_null(server, "%s", err.text);

    first = starts_after(server, &now);
    for (int i = 0; i < 30; i++)
        (void)starts_after(server, &now);
    cr_expect_lt(first, 2000);
    cr_expect_lt(starts_after(server, &now), 6000);
    now += 3600000; // this one ran for an hour
    cr_expect_eq(starts_after(server, &now), first, "it is no sick one");

    llama_server_stop(server);
    drop("llama-server");
    drop("m.gguf");
    (void)rmdir(folder);
}
