#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "common/file.h"
#include "program/job/bundle.h"

static char folder[] = "/tmp/test-bundle-XXXXXX";
static struct bundle *bundle;
static struct err err;

static void path_in(const char *name, char path[128])
{
    (void)snprintf(path, 128, "%s/%s", folder, name);
}

static void open_folder(void)
{
    char path[128];

    err = ERR_CLEAR;
    cr_assert_not_null(mkdtemp(folder));
    path_in("job.yaml", path);
    cr_assert(file_write(path, "name: x\n", 8, &err), "%s", err.text);
    path_in("data.jsonl", path);
    cr_assert(file_write(path, "{}\n", 3, &err), "%s", err.text);
}

static void remove_folder(void)
{
    char path[128];

    bundle_free(bundle);
    path_in("job.yaml", path);
    (void)unlink(path);
    path_in("data.jsonl", path);
    (void)unlink(path);
    (void)rmdir(folder);
}

TestSuite(bundle, .init = open_folder, .fini = remove_folder);

static void open_bundle(void)
{
    char path[128];

    path_in("job.yaml", path);
    bundle = bundle_open(path, &err);
    cr_assert_not_null(bundle, "%s", err.text);
}

Test(bundle, reads_the_job_file_first)
{
    open_bundle();
    cr_assert_eq(bundle->n_files, 1);
    cr_expect_str_eq(bundle->files[0].name, "job.yaml");
    cr_expect_str_eq(bundle->files[0].data, "name: x\n");
}

Test(bundle, fetches_a_file_from_the_folder_once)
{
    open_bundle();
    const struct bundle_file *file = bundle_get(bundle, "data.jsonl", &err);

    cr_assert_not_null(file, "%s", err.text);
    cr_expect_eq(file->len, 3);
    cr_expect_eq(bundle_get(bundle, "data.jsonl", &err), file);
    cr_expect_eq(bundle->n_files, 2);
    cr_expect_eq(bundle->bytes, 11);
}

Test(bundle, says_which_file_is_missing)
{
    open_bundle();
    cr_expect_null(bundle_get(bundle, "none.jsonl", &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "none.jsonl"), "%s", err.text);
    cr_expect_null(bundle_open("/nowhere/job.yaml", &err));
}

Test(bundle, from_a_message_holds_only_the_files_sent)
{
    bundle = bundle_new("job.yaml", &err);
    cr_assert_not_null(bundle, "%s", err.text);
    cr_expect(bundle_add(bundle, "job.yaml", "a", 1, &err));
    cr_expect(bundle_add(bundle, "sub/data.jsonl", NULL, 0, &err));
    cr_expect_not_null(bundle_get(bundle, "sub/data.jsonl", &err));
    cr_expect_null(bundle_get(bundle, "/etc/hostname", &err));
    cr_expect_str_eq(err.text,
                     "the job was sent without the file /etc/hostname");
}

Test(bundle, from_a_message_stays_in_its_folder)
{
    static const char *const names[] = {"../x", "a/../../x", "..", "/etc/x",
                                        ""};

    bundle = bundle_new("job.yaml", &err);
    cr_assert_not_null(bundle, "%s", err.text);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cr_expect_not(bundle_add(bundle, names[i], "x", 1, &err), "%s",
                      names[i]);
        cr_expect_eq(err.code, ERR_INPUT);
    }
    cr_expect(bundle_add(bundle, "..a/b..", "x", 1, &err), "%s", err.text);
}

Test(bundle, refuses_a_duplicate_name)
{
    bundle = bundle_new("job.yaml", &err);
    cr_assert_not_null(bundle, "%s", err.text);
    cr_expect(bundle_add(bundle, "a", "x", 1, &err));
    cr_expect_not(bundle_add(bundle, "a", "y", 1, &err));
}

Test(bundle, limits_files_and_bytes)
{
    char name[16];

    bundle = bundle_new("job.yaml", &err);
    cr_assert_not_null(bundle, "%s", err.text);
    for (int i = 0; i < BUNDLE_MAX_FILES; i++) {
        (void)snprintf(name, sizeof name, "f%d", i);
        cr_assert(bundle_add(bundle, name, "x", 1, &err), "%s", err.text);
    }
    cr_expect_not(bundle_add(bundle, "more", "x", 1, &err));
    cr_expect_eq(err.code, ERR_LIMIT);
    bundle_free(bundle);

    bundle = bundle_new("job.yaml", &err);
    cr_assert_not_null(bundle, "%s", err.text);
    char *large = calloc(1, BUNDLE_MAX_BYTES);
    cr_assert_not_null(large);
    cr_expect(bundle_add(bundle, "large", large, BUNDLE_MAX_BYTES, &err));
    cr_expect_not(bundle_add(bundle, "more", "x", 1, &err));
    cr_expect_eq(err.code, ERR_LIMIT);
    free(large);
}

// Otherwise the job's id could be computed from other files than those that
// run.
Test(bundle, from_a_message_refuses_two_contents_for_one_path)
{
    static const char *const others[] = {"./run/m.sh", "run//m.sh",
                                         "run/./m.sh", ".//run/m.sh"};

    bundle = bundle_new("job.yaml", &err);
    cr_assert_not_null(bundle, "%s", err.text);
    cr_assert(bundle_add(bundle, "run/m.sh", "one", 3, &err), "%s", err.text);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        cr_expect_not(bundle_add(bundle, others[i], "two", 3, &err), "%s",
                      others[i]);
        cr_expect(bundle_add(bundle, others[i], "one", 3, &err), "%s",
                  others[i]);
    }
    cr_expect_not(bundle_add(bundle, "run/m.sh", "one", 3, &err));
    cr_expect(bundle_add(bundle, "run/m.sh.txt", "two", 3, &err));
    cr_expect(bundle_add(bundle, "run/m", "two", 3, &err));
    cr_expect(bundle_add(bundle, "m.sh", "two", 3, &err));
}

static void expect_refused(const char *name, const char *words)
{
    err = ERR_CLEAR;
    cr_expect_null(bundle_get(bundle, name, &err), "%s", name);
    cr_expect_eq(err.code, ERR_INPUT, "%s: %s", name, err.text);
    cr_expect_not_null(strstr(err.text, words), "%s: %s", name, err.text);
}

Test(bundle, reads_nothing_outside_its_folder)
{
    char path[128];
    char up[160];

    open_bundle();
    (void)snprintf(up, sizeof up, "../../etc/passwd");
    expect_refused("/etc/passwd", "outside the job's folder");
    expect_refused(up, "outside the job's folder");
    path_in("link", path);
    cr_assert_eq(symlink("/etc/passwd", path), 0);
    expect_refused("link", "outside the job's folder");
    (void)unlink(path);
    cr_assert_eq(symlink("/etc", path), 0);
    expect_refused("link/passwd", "outside the job's folder");
    (void)unlink(path);
}

Test(bundle, reads_a_link_to_a_file_in_its_folder)
{
    char path[128];
    char target[128];

    open_bundle();
    path_in("link", path);
    path_in("data.jsonl", target);
    cr_assert_eq(symlink(target, path), 0);
    cr_expect_not_null(bundle_get(bundle, "link", &err), "%s", err.text);
    (void)unlink(path);
}

Test(bundle, reads_no_pipe_and_no_device_and_never_waits_for_one)
{
    char path[128];

    open_bundle();
    path_in("pipe", path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    expect_refused("pipe", "pipe");
    (void)unlink(path);
    expect_refused(".", "it is a folder: name a file in it");
}

Test(bundle, copy_has_the_same_files_and_is_independent)
{
    open_bundle();
    cr_assert_not_null(bundle_get(bundle, "data.jsonl", &err));
    struct bundle *copy = bundle_copy(bundle, &err);
    cr_assert_not_null(copy, "%s", err.text);
    bundle_free(bundle);
    bundle = copy;
    cr_expect_eq(copy->n_files, 2);
    cr_expect_str_eq(copy->folder, folder);
    cr_expect_str_eq(bundle_find(copy, "data.jsonl")->data, "{}\n");
}

Test(bundle, dropping_one_file_keeps_the_others)
{
    open_bundle();
    cr_assert_not_null(bundle_get(bundle, "data.jsonl", &err));
    bundle_drop(bundle, "job.yaml");
    bundle_drop(bundle, "none");
    cr_expect_null(bundle_find(bundle, "job.yaml"));
    cr_expect_str_eq(bundle_find(bundle, "data.jsonl")->data, "{}\n");
    cr_expect_eq(bundle->bytes, 3);
}
