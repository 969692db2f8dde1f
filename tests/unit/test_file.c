#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

static int folders_synced;
static bool killed_by_sync; // of a file

// Called instead of the C library's.
int fsync(int fd)
{
    struct stat info;

    if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
        folders_synced++;
    else if (killed_by_sync)
        (void)raise(SIGKILL);
    return fdatasync(fd);
}

static char folder[] = "/tmp/promptcc-file-XXXXXX";
static char path[64];
static struct buf out;
static struct err err;

static void open_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/data", folder);
    out = BUF_INIT(1 << 20);
}

static void close_folder(void)
{
    buf_release(&out);
    (void)unlink(path);
    (void)rmdir(folder);
}

TestSuite(file, .init = open_folder, .fini = close_folder);

// Counts the files in the folder.
static size_t count_files(void)
{
    size_t count = 0;
    DIR *dir = opendir(folder);

    cr_assert_not_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL;
         entry = readdir(dir))
        count += entry->d_name[0] != '.';
    (void)closedir(dir);
    return count;
}

static void write_text(const char *text)
{
    cr_assert(file_write(path, text, strlen(text), &err), "%s", err.text);
}

static void expect_content(const char *text)
{
    buf_clear(&out);
    cr_assert(file_read(path, &out, &err), "%s", err.text);
    cr_expect_str_eq(out.data, text);
}

Test(file, written_file_reads_back)
{
    write_text("one");
    expect_content("one");
}

Test(file, a_large_file_of_any_bytes_is_read_whole)
{
    enum { SIZE = 300000 };
    char *data = malloc(SIZE);

    for (size_t i = 0; i < SIZE; i++)
        data[i] = (char)(i * 7 + i / 256);
    cr_assert(file_write(path, data, SIZE, &err), "%s", err.text);
    cr_assert(file_read(path, &out, &err), "%s", err.text);
    cr_assert_eq(out.len, SIZE);
    cr_expect_eq(memcmp(out.data, data, SIZE), 0);
    free(data);
}

Test(file, empty_file_is_not_an_error)
{
    write_text("");
    cr_assert(file_read(path, &out, &err), "%s", err.text);
    cr_expect_eq(out.len, 0);
}

Test(file, reading_appends)
{
    write_text("two");
    buf_puts(&out, "one ");
    cr_assert(file_read(path, &out, &err), "%s", err.text);
    cr_expect_str_eq(out.data, "one two");
}

Test(file, writing_replaces_the_old_file)
{
    write_text("a longer text");
    write_text("short");
    expect_content("short");
    cr_expect_eq(count_files(), 1);
}

Test(file, a_file_over_the_cap_is_refused)
{
    write_text("123456789");
    out = BUF_INIT(8);

    cr_expect_not(file_read(path, &out, &err));
    cr_expect_eq(err.code, ERR_LIMIT);
    cr_expect_not_null(strstr(err.text, path));
}

Test(file, a_missing_file_is_named_with_the_cause)
{
    cr_expect_not(file_read(path, &out, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_not_null(strstr(err.text, path));
    cr_expect_not_null(strstr(err.text, "No such file"));
}

Test(file, a_long_path_leaves_room_for_the_cause)
{
    char long_path[600];

    (void)snprintf(long_path, sizeof long_path, "%s/%0500d", folder, 0);
    cr_expect_not(file_read(long_path, &out, &err));
    cr_expect_not_null(strstr(err.text, strerror(ENAMETOOLONG)), "%s",
                       err.text);
}

Test(file, a_long_path_is_shown_by_its_end)
{
    cr_expect_str_eq(FILE_SHOWN("jobs/care/job.yaml", 18),
                     "jobs/care/job.yaml");
    cr_expect_str_eq(FILE_SHOWN("jobs/care/job.yaml", 17), ".../care/job.yaml");
    cr_expect_str_eq(FILE_SHOWN("jobs/a_long_name.yaml", 12), "...name.yaml");
    cr_expect_str_eq(FILE_SHOWN("a/\xC3\xA9\xC3\xA9.yaml", 9), "....yaml");
}

Test(file, folder_is_not_a_file)
{
    cr_expect_not(file_read(folder, &out, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "it is a folder"));
}

Test(file, a_missing_folder_cannot_be_written_to)
{
    cr_expect_not(file_write("/tmp/promptcc-nowhere/data", "x", 1, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "/tmp/promptcc-nowhere/data"));
}

Test(file, writing_through_a_link_keeps_the_link_and_the_mode)
{
    char link[64];
    struct stat info;

    snprintf(link, sizeof link, "%s/link", folder);
    write_text("old");
    cr_assert_eq(chmod(path, 0640), 0);
    cr_assert_eq(symlink("data", link), 0);
    cr_expect(file_is_same(path, link));

    cr_expect(file_write(link, "new", 3, &err), "%s", err.text);
    cr_assert_eq(lstat(link, &info), 0);
    cr_expect(S_ISLNK(info.st_mode));
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0640);
    expect_content("new");
    cr_expect_eq(count_files(), 2);
    (void)unlink(link);
    cr_expect_not(file_is_same(path, link));
}

Test(file, dangling_link_is_kept_when_its_target_is_written)
{
    char link[64], next[64];
    struct stat info;

    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(next, sizeof next, "%s/next", folder);
    cr_assert_eq(symlink("next", link), 0);
    cr_assert_eq(symlink("data", next), 0);
    cr_expect(file_write(link, "new", 3, &err), "%s", err.text);
    cr_assert_eq(lstat(link, &info), 0);
    cr_expect(S_ISLNK(info.st_mode));
    expect_content("new");
    cr_assert_eq(unlink(next), 0);
    cr_assert_eq(symlink("/tmp/promptcc-nowhere/data", next), 0);
    cr_expect_not(file_write(link, "new", 3, &err));
    cr_assert_eq(lstat(link, &info), 0);
    cr_expect(S_ISLNK(info.st_mode));
    (void)unlink(next);
    (void)unlink(link);
}

// As root, a rename would replace a device by a file.
Test(file, a_pipe_is_written_to_as_it_is)
{
    struct stat info;
    char got[8] = "";

    cr_assert_eq(mkfifo(path, 0600), 0);
    int end = open(path, O_RDWR);
    cr_expect(file_write(path, "through", 7, &err), "%s", err.text);
    cr_expect_eq(read(end, got, sizeof got), 7);
    cr_expect_str_eq(got, "through");
    cr_assert_eq(lstat(path, &info), 0);
    cr_expect(S_ISFIFO(info.st_mode));
    cr_expect_eq(count_files(), 1);
    (void)close(end);
}

Test(file, writing_to_a_pipe_without_a_reader_times_out, .timeout = 300)
{
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_not(file_write(path, "through", 7, &err));
    cr_expect(strstr(err.text, "nobody reads from it") != NULL, "%s", err.text);
}

// Limits the size of files, which works like a full disk: write(2) takes a part
// and then fails.
static void fill_disk(void)
{
    struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};

    cr_assert_neq(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(file, a_failed_write_keeps_the_old_file_and_nothing_else)
{
    static const char large[10000];

    write_text("old");
    fill_disk();

    cr_expect_not(file_write(path, large, sizeof large, &err));
    cr_expect_eq(err.code, ERR_IO);
    cr_expect_not_null(strstr(err.text, path));
    cr_expect_not_null(strstr(err.text, "File too large"));
    expect_content("old");
    cr_expect_eq(count_files(), 1);
}

Test(file, nothing_is_left_of_a_writer_that_is_killed)
{
    int status;

    write_text("old");
    pid_t pid = fork();
    if (pid == 0) {
        killed_by_sync = true;
        (void)file_write(path, "new", 3, &err);
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status));
    expect_content("old");
    cr_expect_eq(count_files(), 1);
}

Test(file, folder_in_the_way_is_kept_and_no_temporary_file_remains)
{
    cr_assert_eq(mkdir(path, 0700), 0);

    cr_expect_not(file_write(path, "x", 1, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_eq(count_files(), 1);
    cr_expect_eq(rmdir(path), 0);
}

static void expect_folder(const char *of, const char *expected)
{
    char *found = file_folder(of);

    cr_expect_str_eq(found, expected);
    free(found);
}

Test(file, folder_is_the_part_before_the_last_slash)
{
    expect_folder("a/b/c.yaml", "a/b");
    expect_folder("c.yaml", ".");
    expect_folder("/c.yaml", "/");
    expect_folder("//c.yaml", "/");
    expect_folder("a//c.yaml", "a");
}

static void expect_join(const char *base, const char *name,
                        const char *expected)
{
    char *joined = file_join(base, name);

    cr_expect_str_eq(joined, expected);
    free(joined);
}

Test(file, a_name_is_joined_to_its_folder_unless_absolute)
{
    expect_join("jobs/a", "train.jsonl", "jobs/a/train.jsonl");
    expect_join("jobs/", "train.jsonl", "jobs/train.jsonl");
    expect_join("/", "etc", "/etc");
    expect_join(".", "train.jsonl", "train.jsonl");
    expect_join("jobs", "/data/train.jsonl", "/data/train.jsonl");
}

Test(file, a_pipe_is_read_to_its_end)
{
    char name[160];
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "from a pipe", 11), 11);
    (void)close(ends[1]);
    (void)snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    cr_expect(file_read(name, &out, &err), "%s", err.text);
    cr_expect_eq(out.len, 11);
    (void)close(ends[0]);
}

Test(file, reading_a_pipe_without_a_writer_times_out)
{
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_not(file_read(path, &out, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "nobody writes"), "%s", err.text);
}

Test(file, a_device_is_refused_unopened)
{
    cr_expect_not(file_read("/dev/ptmx", &out, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "not a regular file"), "%s", err.text);
}

Test(file, a_new_file_appears_whole_and_replaces_nothing)
{
    struct stat info;

    cr_assert(file_create(path, 0600, "secret", 6));
    expect_content("secret");
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600);
    cr_expect_not(file_create(path, 0600, "other", 5));
    cr_expect_eq(errno, EEXIST);
    expect_content("secret");
    cr_expect_eq(count_files(), 1);
}

Test(file, what_does_not_fit_on_the_disk_is_not_created)
{
    struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};

    (void)signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    cr_expect_not(file_create(path, 0600, "secret", 6));
    cr_expect_eq(errno, EFBIG);
    cr_expect_eq(count_files(), 0);
}

Test(file, changes_of_a_folder_are_synced)
{
    char other[80];

    (void)snprintf(other, sizeof other, "%s.1", path);
    cr_assert(file_create(path, 0600, "a", 1));
    cr_expect_eq(folders_synced, 1);
    cr_assert(file_rename(path, other));
    cr_expect_eq(folders_synced, 2);
    cr_assert(file_remove(other));
    cr_expect_eq(folders_synced, 3);
    write_text("b");
    cr_expect_eq(folders_synced, 4);
}
