#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/token.h"

static char folder[] = "/tmp/promptcc-token-XXXXXX";
static char path[64];
static struct err err;

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/token", folder);
}

static void remove_folder(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
}

TestSuite(http_token, .init = make_folder, .fini = remove_folder);

Test(http_token, is_created_readable_by_its_owner_only)
{
    struct http_token *token = http_token_new(path, &err);
    struct stat info;

    cr_assert_not_null(token, "%s", err.text);
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600);
    cr_expect_not(http_token_is(token, "what a stranger says"));
    http_token_free(token);
}

// Otherwise the next start would report a token that is too short, although
// nobody ever wrote one.
Test(http_token, failed_write_leaves_no_file)
{
    const struct rlimit few = {10, 10};

    (void)signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &few), 0);
    cr_expect_null(http_token_new(path, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "cannot write a token"), "%s",
                       err.text);
    cr_expect_not_null(strstr(err.text, strerror(EFBIG)), "%s", err.text);
    cr_expect_eq(access(path, F_OK), -1);
}

// The end of a path names the file; without it the message names another one.
Test(http_token, error_shows_the_end_of_a_long_path)
{
    char far[300];

    (void)snprintf(far, sizeof far, "%s/%0200d/token", folder, 0);
    cr_expect_null(http_token_new(far, &err));
    cr_expect_str_eq(err.text, "cannot write a token to .../token: No such "
                               "file or directory");
}
