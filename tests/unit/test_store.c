#include "store_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "store/holder.h"
#include "store/lock.h"
#include "store/netfs.h"

static void give_away(const char *name)
{
    if (access(name, F_OK) == 0)
        cr_assert_eq(chown(name, 65534, 65534), 0);
}

// Drops root's rights, since permissions do not bind root.
static void leave_root(void)
{
    char lock[80];

    if (geteuid() != 0)
        return;
    (void)snprintf(lock, sizeof lock, "%s.lock", path);
    give_away(path);
    give_away(lock);
    give_away(folder);
    cr_assert_eq(seteuid(65534), 0);
}

// LeakSanitizer needs a process that can be traced, and a process that changed
// its user cannot be.
static void close_as_root(void)
{
    if (getuid() == 0 && geteuid() != 0) {
        cr_assert_eq(seteuid(0), 0);
        cr_assert_eq(prctl(PR_SET_DUMPABLE, 1), 0);
    }
    close_folder();
}

TestSuite(store, .init = open_folder, .fini = close_as_root);

static void expect_refused(enum err_code code, const char *words)
{
    store = store_open(path, &err);
    cr_assert_null(store);
    cr_expect_eq(err.code, code, "%s: %s", err_code_name(err.code), err.text);
    cr_expect_not_null(strstr(err.text, words), "%s", err.text);
}

static int count_rows(const char *table)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    char sql[128];

    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
    int count = sqlite3_column_int(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return count;
}

Test(store, a_new_file_becomes_a_store_and_opens_again)
{
    reopen();
    cr_expect_str_eq(store_path(store), path);
    cr_expect(store_healthy(store, &err));
    reopen();
}

Test(store, stored_data_survives_closing)
{
    reopen();
    cr_assert_neq(put_call(open_job("j-1"), 1), 0, "%s", err.text);
    reopen();
    struct call_ref ref = {0};
    struct hash key = number_key(1);
    cr_expect(calls_find(store, &key, &ref));
}

Test(store, a_closed_store_is_one_file_without_a_log)
{
    char wal[80];

    reopen();
    (void)put_call(open_job("j-1"), 1);
    store_close(store);
    store = NULL;
    (void)snprintf(wal, sizeof wal, "%s-wal", path);
    cr_expect_neq(access(wal, F_OK), 0);
}

Test(store, durable_reaches_the_last_put_and_notifies)
{
    reopen();
    cr_expect_eq(store_last_put(store), 0);
    (void)put_call(open_job("j-1"), 1);
    cr_expect_gt(store_last_put(store), 0);
    flush();
    cr_expect_eq(store_durable(store), store_last_put(store));

    struct pollfd notice = {.fd = store_notice_fd(store), .events = POLLIN};
    cr_expect_eq(poll(&notice, 1, 60000), 1);
    store_notice_clear(store);
    cr_expect_eq(poll(&notice, 1, 0), 0);
}

Test(store, notice_comes_again_after_it_was_cleared)
{
    reopen();
    int64_t job = open_job("j-1");
    struct pollfd notice = {.fd = store_notice_fd(store), .events = POLLIN};

    for (int i = 0; i < 50; i++) {
        (void)put_call(job, i);
        while (store_durable(store) < store_last_put(store)) {
            cr_assert_eq(poll(&notice, 1, 60000), 1);
            store_notice_clear(store);
        }
    }
}

Test(store, second_process_learns_who_holds_the_store)
{
    char pid[32];
    int status = 0;

    reopen();
    (void)snprintf(pid, sizeof pid, "process %ld ", (long)getpid());
    pid_t child = fork();
    if (child == 0) {
        struct store *second = store_open(path, &err);
        bool told = second == NULL && err.code == ERR_BUSY &&
                    strstr(err.text, pid) != NULL;
        _exit(told ? 0 : 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

Test(store, a_store_too_many_for_one_process_is_refused_as_that)
{
    enum { MOST = 64 };
    struct file_lock locks[MOST + 1];
    char name[120];

    for (int i = 0; i <= MOST; i++) {
        FILE *file;

        (void)snprintf(name, sizeof name, "%s/%d", folder, i);
        file = fopen(name, "we");
        cr_assert_not_null(file);
        (void)fclose(file);
        cr_expect_eq(file_lock_take(&locks[i], name, &err), i < MOST, "%s",
                     err.text);
        (void)unlink(name);
    }
    cr_expect_eq(err.code, ERR_LIMIT);
    cr_expect_not_null(strstr(err.text, "64 stores"), "%s", err.text);
    for (int i = 0; i <= MOST; i++)
        file_lock_release(&locks[i]);
}

Test(store, store_is_locked_under_all_its_names)
{
    reopen();
    char link_path[80];

    (void)snprintf(link_path, sizeof link_path, "%s/link.db", folder);
    cr_assert_eq(symlink(path, link_path), 0);
    cr_expect_null(store_open(link_path, &err));
    cr_expect_eq(err.code, ERR_BUSY, "%s", err.text);
}

// Opens the store in a new process, which has opened nothing before; it waits
// until it is told to.
static pid_t try_to_open(const char *name, int told)
{
    pid_t child = fork();
    char byte = 0;

    if (child == 0) {
        bool begun = read(told, &byte, 1) == 1;
        bool busy = begun && store_open(name, &err) == NULL &&
                    err.code == ERR_BUSY &&
                    strstr(err.text, "under another name") != NULL;
        _exit(busy ? 0 : 1);
    }
    return child;
}

Test(store, two_names_of_one_file_mean_one_store)
{
    int status = 0;
    int tell[2];
    char other[80];

    (void)snprintf(other, sizeof other, "%s/other.db", folder);
    cr_assert_eq(pipe(tell), 0);
    pid_t child = try_to_open(other, tell[0]);
    reopen();
    cr_assert_eq(link(path, other), 0);
    cr_assert_eq(write(tell[1], "x", 1), 1);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    cr_expect_null(store_open(other, &err));
    cr_expect_eq(err.code, ERR_BUSY, "%s", err.text);
    (void)put_call(open_job("j-1"), 1);
    flush();
}

static void expect_lost(void)
{
    (void)put_call(open_job("j-2"), 2);
    cr_expect_not(store_flush(store, &err));
    cr_expect_eq(err.code, ERR_STORE);
    cr_expect_not_null(strstr(err.text, "removed, moved or replaced"), "%s",
                       err.text);
}

Test(store, a_file_that_was_removed_is_noticed)
{
    reopen();
    (void)put_call(open_job("j-1"), 1);
    flush();
    cr_assert_eq(unlink(path), 0);
    expect_lost();
}

Test(store, a_file_that_was_replaced_is_noticed)
{
    char aside[80];

    reopen();
    (void)put_call(open_job("j-1"), 1);
    flush();
    (void)snprintf(aside, sizeof aside, "%s/aside.db", folder);
    cr_assert_eq(rename(path, aside), 0);
    cr_assert_eq(link(aside, path), 0); // the same file again
    (void)put_call(open_job("j-3"), 3);
    flush();
    cr_assert_eq(unlink(path), 0);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    (void)fclose(file);
    expect_lost();
}

Test(store, lock_is_released_when_its_process_is_killed)
{
    int status = 0;
    int ready[2];
    char byte = 0;

    cr_assert_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *mine = store_open(path, &err);
        ssize_t put = write(ready[1], mine != NULL ? "y" : "n", 1);
        (void)put;
        for (;;)
            (void)pause();
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_assert_eq(byte, 'y');
    expect_refused(ERR_BUSY, "in use by process");
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    reopen();
}

// --- which process has the store open ---

static struct holder holder_of(pid_t pid)
{
    struct holder holder = {.pid = (long)pid};

    cr_assert_eq(gethostname(holder.host, sizeof holder.host - 1), 0);
    return holder;
}

Test(store, live_process_is_not_ending)
{
    struct holder self = holder_of(getpid());
    struct holder elsewhere = {.host = "no-such-host", .pid = 1};

    cr_expect_not(holder_is_ending(&self));
    cr_expect_not(holder_is_ending(&elsewhere));
}

Test(store, killed_process_counts_as_ending_until_and_after_it_is_gone)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        for (;;)
            (void)pause();
    struct holder holder = holder_of(child);
    cr_expect_not(holder_is_ending(&holder));
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_expect(holder_is_ending(&holder)); // at once
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(holder_is_ending(&holder));
}

static int last_thread[2];

static void *end_when_told(void *arg)
{
    char byte = 0;
    ssize_t got = read(last_thread[0], &byte, 1);

    (void)arg;
    (void)got;
    _exit(0);
}

// Imitates a kill: the process's first thread is gone, but another one still
// has the lock.
static pid_t start_dying_holder(void)
{
    pthread_t thread;
    pid_t child = 0;

    cr_assert_eq(pipe(last_thread), 0);
    child = fork();
    if (child == 0) {
        store = store_open(path, &err);
        if (pthread_create(&thread, NULL, end_when_told, NULL) == 0)
            pthread_exit(NULL);
        _exit(1);
    }
    struct holder holder = holder_of(child);
    while (!holder_is_ending(&holder))
        (void)poll(NULL, 0, 1);
    return child;
}

static void *let_it_end(void *arg)
{
    ssize_t put;

    (void)arg;
    (void)poll(NULL, 0, 50); // the other one is most likely waiting now
    put = write(last_thread[1], "x", 1);
    (void)put;
    return NULL;
}

Test(store, a_process_that_is_ending_is_waited_for)
{
    pid_t child = start_dying_holder();
    pthread_t thread;
    int status = 0;

    cr_assert_eq(pthread_create(&thread, NULL, let_it_end, NULL), 0);
    store = store_open(path, &err);
    cr_assert_not_null(store, "%s", err.text);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
}

Test(store, reader_works_alongside_the_writer)
{
    reopen();
    (void)open_job("j-1");
    flush();
    struct store *reader = store_open_read(path, &err);
    cr_assert_not_null(reader, "%s", err.text);
    cr_expect_not(history_event(reader, 1, "note", "x", &err));
    cr_expect_eq(err.code, ERR_STORE);
    store_close(reader);
}

Test(store, a_newer_version_is_refused_by_writer_and_reader)
{
    reopen();
    store_close(store);
    store = NULL;
    run_outside("PRAGMA user_version = 99");
    expect_refused(ERR_INPUT, "version 99");
    cr_expect_null(store_open_read(path, &err));
    cr_expect_not_null(strstr(err.text, "version 99"), "%s", err.text);
}

Test(store, the_database_of_another_program_is_refused_untouched)
{
    run_outside("CREATE TABLE precious(x); INSERT INTO precious VALUES(1)");
    expect_refused(ERR_INPUT, "another program");
    cr_expect_eq(count_rows("precious"), 1);
    cr_expect_eq(count_rows("sqlite_schema"), 1);
}

Test(store, file_that_is_not_a_database_is_refused_untouched)
{
    FILE *file = fopen(path, "w");
    struct stat info;

    cr_assert_not_null(file);
    for (int i = 0; i < 1000; i++)
        (void)fputs("name: no database\n", file);
    (void)fclose(file);
    expect_refused(ERR_INPUT, "not an SQLite database");
    cr_expect_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_size, 18000);
}

Test(store, a_folder_is_refused)
{
    (void)snprintf(path, sizeof path, "%s", folder);
    expect_refused(ERR_INPUT, "a folder");
}

Test(store, a_folder_that_is_not_there_is_named)
{
    (void)snprintf(path, sizeof path, "%s/no/s.db", folder);
    expect_refused(ERR_INPUT, "/no/s.db");
}

Test(store, name_that_cannot_be_a_file_is_refused)
{
    (void)snprintf(path, sizeof path, ":memory:");
    expect_refused(ERR_INPUT, "a store is a file");
}

Test(store, a_folder_that_may_not_be_written_is_refused)
{
    leave_root();
    cr_assert_eq(chmod(folder, 0500), 0);
    expect_refused(ERR_INPUT, "exists and is writable");
}

Test(store, a_file_that_may_not_be_written_is_refused)
{
    reopen();
    store_close(store);
    store = NULL;
    leave_root();
    cr_assert_eq(chmod(path, 0400), 0);
    expect_refused(ERR_INPUT, "not writable");
}

Test(store, a_store_in_a_read_only_folder_can_still_be_read)
{
    char lock[80];

    reopen();
    (void)open_job("j-1");
    store_close(store);
    (void)snprintf(lock, sizeof lock, "%s.lock", path);
    (void)unlink(lock);
    leave_root();
    cr_assert_eq(chmod(folder, 0500), 0);
    store = store_open_read(path, &err);
    cr_assert_not_null(store, "%s", err.text);
    cr_expect(load_job(1), "%s", err.text);
}

Test(store, a_reader_says_when_there_is_no_store)
{
    cr_expect_null(store_open_read(path, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "no store at"), "%s", err.text);
    cr_expect_neq(access(path, F_OK), 0);
}

Test(store, a_full_disk_breaks_the_store_and_loses_nothing_durable)
{
    reopen();
    int64_t job = open_job("j-1");
    for (int i = 0; i < 20; i++)
        cr_assert_neq(put_call(job, i), 0);
    flush();

    // From here on no file may grow.
    (void)signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    uint64_t durable = store_durable(store);
    (void)put_call(job, 100);
    cr_expect_not(store_flush(store, &err));
    cr_expect_eq(err.code, ERR_STORE, "%s", err.text);
    cr_expect_not(store_healthy(store, &err));
    cr_expect_eq(store_durable(store), durable);
    cr_expect_eq(put_call(job, 101), 0);

    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    reopen();
    struct call_ref ref = {0};
    cr_expect(calls_ref(store, 20, &ref));
    cr_expect_not(calls_ref(store, 21, &ref));
}

Test(store, a_limit_on_the_size_of_files_is_named)
{
    const struct rlimit limit = {.rlim_cur = 20000, .rlim_max = RLIM_INFINITY};

    (void)signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_refused(ERR_STORE, "ulimit -f");
}

Test(store, a_long_path_leaves_room_for_the_reason)
{
    char most[900];
    size_t len = strlen(folder);

    memcpy(most, folder, len + 1);
    while (len + 202 < sizeof most) {
        len += (size_t)snprintf(most + len, sizeof most - len, "/%0200d", 0);
        cr_assert_eq(mkdir(most, 0700), 0);
    }
    (void)snprintf(most + len, sizeof most - len, "/s.db");
    cr_assert_null(store_open(most, &err));
    cr_expect_not_null(strstr(err.text, "--store"), "%s", err.text);
    cr_assert_null(store_open_read(most, &err));
    cr_expect_not_null(strstr(err.text, "--store"), "%s", err.text);
    (void)unlink(strcat(most, ".lock"));
    while (*strrchr(most, '/') = '\0', strlen(most) > strlen(folder))
        (void)rmdir(most);
}

Test(store, a_link_into_a_missing_folder_is_reported_as_such)
{
    cr_assert_eq(symlink("gone/s.db", path), 0);
    expect_refused(ERR_INPUT, "its folder does not exist");
}

Test(store, a_name_like_a_uri_is_a_file_like_any_other)
{
    char here[PATH_MAX];

    cr_assert_not_null(getcwd(here, sizeof here));
    cr_assert_eq(chdir(folder), 0);
    store = store_open("file:s.db?mode=memory", &err);
    cr_assert_not_null(store, "%s", err.text);
    store_close(store);
    store = store_open_read("file:s.db?mode=memory", &err);
    cr_expect_not_null(store, "%s", err.text);
    cr_expect_eq(access("file:s.db?mode=memory", F_OK), 0);
    cr_assert_eq(chdir(here), 0);
}

Test(store, network_file_systems_are_known_by_number_and_name)
{
    cr_expect_str_eq(netfs_of_type(0x6969), "NFS");
    cr_expect_str_eq(netfs_of_type(0xFF534D42), "CIFS");
    cr_expect_null(netfs_of_type(0xEF53), "ext4 is local");
    cr_expect_str_eq(netfs_of_name("fuse.sshfs"), "sshfs");
    cr_expect_null(netfs_of_name("fuse.ntfs-3g"), "a local disk");
    cr_expect_null(netfs_of("/tmp/no/such/folder"));
}

// Stores calls and reports each durable one, in a child that is killed at some
// point. Whatever it reported must be in the store.
static void put_and_report(int out)
{
    struct store *mine = store_open(path, &err);
    int64_t job = 0;

    if (mine == NULL)
        _exit(1);
    store = mine;
    job = open_job("j-1");
    struct call_ref ref = {0};
    int64_t next = 1;
    while (calls_ref(mine, next, &ref))
        next++;
    for (int64_t id = next;; id++) {
        if (put_call(job, id) != id)
            _exit(1);
        if (id % 7 == 0 && store_flush(mine, &err) &&
            write(out, &id, sizeof id) != sizeof id)
            _exit(1);
    }
}

static int64_t kill_one_after(int64_t us)
{
    int64_t reported = 0;
    struct timespec delay = {.tv_nsec = us * 1000};
    int64_t id = 0;
    int status = 0;
    int channel[2];

    cr_assert_eq(pipe(channel), 0);
    pid_t child = fork();
    if (child == 0)
        put_and_report(channel[1]);
    (void)close(channel[1]);
    // The first report shows that the child is running.
    if (read(channel[0], &id, sizeof id) == sizeof id)
        reported = id;
    (void)nanosleep(&delay, NULL);
    cr_assert_eq(kill(child, SIGKILL), 0);
    while (read(channel[0], &id, sizeof id) == sizeof id)
        reported = id;
    (void)close(channel[0]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return reported;
}

static void expect_sound(void)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, "PRAGMA quick_check", -1, &stmt, NULL),
                 SQLITE_OK);
    cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
    cr_expect_str_eq((const char *)sqlite3_column_text(stmt, 0), "ok");
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

Test(store, nothing_reported_is_lost_by_kill_9_at_any_time)
{
    static const int64_t delays_us[] = {0,    100,   400,   900,  2500,
                                        5000, 11000, 23000, 3000, 47000};
    struct call_ref ref = {0};
    struct call_answer answer = {0};

    for (size_t i = 0; i < sizeof delays_us / sizeof delays_us[0]; i++) {
        int64_t reported = kill_one_after(delays_us[i]);

        cr_assert_gt(reported, 0);
        reopen();
        expect_sound();
        for (int64_t id = 1; id <= reported; id++)
            cr_assert(calls_ref(store, id, &ref), "call %d is lost", (int)id);
        cr_assert(calls_load(store, reported, &answer, &err), "%s", err.text);
        call_answer_release(&answer);
        store_close(store);
        store = NULL;
    }
}
