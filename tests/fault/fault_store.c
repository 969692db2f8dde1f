#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <sqlite3.h>

#include "common/clock.h"
#include "fault/alloc_fault.h"
#include "fault/vfs_fault.h"
#include "scratch.h"
#include "store/calls.h"
#include "store/history.h"
#include "store/query.h"
#include "store/store.h"

enum { CALLS = 24, CALLS_A_FLUSH = 4, RUNS_MAX = 5000, FILE_MAX = 1 << 20 };

static char folder[40];
static char path[64];
static char
    whole[FILE_MAX]; // a store with a job and a call, as it lies on disk
static size_t whole_len;

static void remove_files(void)
{
    char name[512];
    DIR *dir = opendir(folder);

    for (struct dirent *entry = NULL;
         dir != NULL && (entry = readdir(dir)) != NULL;) {
        (void)snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        (void)unlink(name);
    }
    if (dir != NULL)
        (void)closedir(dir);
}

static void open_folder(void)
{
    cr_assert_not_null(scratch_make("promptcc-fault", folder, sizeof folder));
    (void)snprintf(path, sizeof path, "%s/s.db", folder);
}

static void close_folder(void)
{
    remove_files();
    (void)rmdir(folder);
}

TestSuite(store, .init = open_folder, .fini = close_folder);

// --- a run, as a job makes one ---

static int64_t open_job(struct store *store, struct err *err)
{
    struct history_job job = {
        .id = "j-1", .name = "j", .path = "job.yaml", .canonical = "{}"};
    bool created = false;

    return history_open_job(store, &job, &created, err);
}

static int64_t put_call(struct store *store, int64_t job, int64_t number,
                        struct err *err)
{
    char reply[] = "a reply";
    struct call_answer answer = {.text = reply, .text_len = sizeof reply - 1};
    struct call_put call = {
        .key = hash_of("test", &number, sizeof number),
        .job_no = job,
        .role = "student",
        .tail = "]",
        .tail_len = 1,
        .answer = &answer,
    };

    call.prefix_id = calls_prefix(store, &call.key, "[", 1, err);
    return call.prefix_id != 0 ? calls_put(store, &call, err) : 0;
}

// Stores CALLS calls, and sets `durable` to the last one that was reported
// durable. Returns false when the store failed before that.
static bool put_calls(struct store *store, int64_t *durable, struct err *err)
{
    int64_t job = open_job(store, err);
    bool ok = job != 0;

    for (int64_t i = 1; i <= CALLS && ok; i++) {
        ok = put_call(store, job, i, err) != 0;
        if (ok && i % CALLS_A_FLUSH == 0) {
            ok = store_flush(store, err);
            if (ok)
                *durable = i;
        }
    }
    return ok;
}

// --- the n-th operation on the disk ---

static void expect_sound(void)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(
        sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL),
        SQLITE_OK);
    cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
    cr_assert_str_eq((const char *)sqlite3_column_text(stmt, 0), "ok");
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

// Checks that the stored calls are 1, 2, ... without a gap, each with its text.
static void expect_prefix(int64_t durable, int n)
{
    struct err err = ERR_CLEAR;
    struct store *store = store_open(path, &err);
    struct call_answer answer = {0};
    struct call_ref ref = {0};
    int64_t there = 0;

    cr_assert_not_null(store, "operation %d: %s", n, err.text);
    while (calls_ref(store, there + 1, &ref))
        there++;
    cr_assert_geq(there, durable, "operation %d: %d were durable, %d are there",
                  n, (int)durable, (int)there);
    for (int64_t id = there + 1; id <= CALLS; id++)
        cr_assert_not(calls_ref(store, id, &ref), "operation %d: a gap", n);
    for (int64_t id = 1; id <= there; id++) {
        cr_assert(calls_load(store, id, &answer, &err), "%s", err.text);
        cr_assert_str_eq(answer.text, "a reply");
        call_answer_release(&answer);
    }
    store_close(store);
}

static void expect_clear(const struct err *err, int n)
{
    cr_assert(err->code == ERR_STORE || err->code == ERR_INPUT,
              "operation %d: %s", n, err_code_name(err->code));
    cr_assert_not_null(strstr(err->text, path), "operation %d: \"%s\"", n,
                       err->text);
}

// Returns false when there was no such operation.
static bool run_disk(enum vfs_fault fault, int n, bool lasting)
{
    struct err err = ERR_CLEAR;
    int64_t durable = 0;
    bool ok = false;

    remove_files();
    vfs_fault_arm(fault, n, lasting);
    struct store *store = store_open(path, &err);
    if (store != NULL)
        ok = put_calls(store, &durable, &err);
    if (store != NULL && !ok) {
        struct err again = ERR_CLEAR;
        cr_assert_not(store_healthy(store, NULL));
        cr_assert_not(store_flush(store, &again));
    }
    store_close(store);
    bool failed = vfs_fault_disarm();
    if (!ok)
        expect_clear(&err, n);
    cr_assert(failed || ok, "without a fault: %s", err.text);
    expect_prefix(ok ? CALLS : durable, n);
    expect_sound();
    return failed;
}

// Returns how many operations it takes to create a store.
static int count_creation(enum vfs_fault fault)
{
    struct err err = ERR_CLEAR;
    int n;

    remove_files();
    vfs_fault_arm(fault, INT_MAX, false);
    store_close(store_open(path, &err));
    n = vfs_fault_count();
    cr_assert_not(vfs_fault_disarm());
    cr_assert_eq(err.code, ERR_NONE, "%s", err.text);
    return n;
}

// Lets each operation of the calls fail, and every fifth of those that create
// the store, which are many and alike.
static void run_every(enum vfs_fault fault, int at_least)
{
    vfs_fault_install();
    int creation = count_creation(fault);

    for (int lasting = 0; lasting < 2; lasting++) {
        int n = 0;

        while (run_disk(fault, n, lasting != 0)) {
            n += n + 5 <= creation ? 5 : 1;
            cr_assert_lt(n, RUNS_MAX);
        }
        cr_assert_gt(n - creation, at_least);
    }
}

// --- a fault that passes ---

static void wait_for(bool (*condition)(const struct store *),
                     const struct store *store, bool value)
{
    int64_t end_ms = clock_monotonic_ms() + 60000;

    while (condition(store) != value && clock_monotonic_ms() < end_ms)
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    cr_assert_eq(condition(store), value);
}

// Stores calls while the disk fails. They are in the store once the disk works
// again.
static void outlast(enum vfs_fault fault, bool lasting)
{
    struct err err = ERR_CLEAR;
    struct store *store;
    int64_t job;

    vfs_fault_install();
    remove_files();
    store = store_open(path, &err);
    cr_assert_not_null(store, "%s", err.text);
    store_set_patience(store, -1);
    job = open_job(store, &err);
    cr_assert(put_call(store, job, 1, &err) && store_flush(store, &err));

    vfs_fault_arm(fault, 0, lasting);
    cr_assert(put_call(store, job, 2, &err));
    wait_for(store_behind, store, true);
    for (int64_t i = 3; i <= CALLS; i++)
        cr_assert(put_call(store, job, i, &err), "%s", err.text);
    if (lasting) {
        cr_assert_not(
            store_wait_untroubled(store, store_last_put(store), &err));
        cr_assert_lt(store_durable(store), store_last_put(store));
    }
    cr_assert(store_healthy(store, NULL));
    cr_assert(vfs_fault_disarm());

    wait_for(store_behind, store, false);
    err = ERR_CLEAR;
    cr_assert(store_flush(store, &err), "%s", err.text);
    store_close(store);
    expect_prefix(CALLS, 0);
    expect_sound();
}

Test(store, full_disk_that_regains_space_loses_nothing)
{
    outlast(VFS_FULL, true);
}

Test(store, a_disk_that_fails_for_a_while_loses_nothing)
{
    outlast(VFS_WRITE, true);
}

Test(store, a_single_sync_that_fails_loses_nothing)
{
    outlast(VFS_SYNC, false);
}

// Closing does not wait for a disk that stays full.
Test(store, closing_does_not_wait_for_a_full_disk)
{
    struct err err = ERR_CLEAR;
    struct store *store;

    vfs_fault_install();
    remove_files();
    store = store_open(path, &err);
    store_set_patience(store, -1);
    vfs_fault_arm(VFS_FULL, 0, true);
    cr_assert(open_job(store, &err) != 0);
    wait_for(store_behind, store, true);
    store_close(store);
    cr_assert(vfs_fault_disarm());
    expect_prefix(0, 0);
}

Test(store, every_failing_write_leaves_a_whole_store)
{
    run_every(VFS_WRITE, CALLS);
}

Test(store, every_torn_write_on_a_full_disk_leaves_a_whole_store)
{
    run_every(VFS_FULL, CALLS);
}

Test(store, every_failing_sync_leaves_a_whole_store)
{
    run_every(VFS_SYNC, CALLS / CALLS_A_FLUSH - 1);
}

// --- the n-th allocation ---

// Sends SQLite's allocations through ours, which alloc_fault makes fail; 16
// bytes before each block hold its size. SQLite's small allocations never fail
// here: parsing the schema makes thousands, and SQLite's own tests cover those.
enum { HEAD = 16, SMALL = 300 };

void *__real_malloc(size_t size);

static void *lite_malloc(int size)
{
    size_t bytes = (size_t)size + HEAD;
    char *block = size < SMALL ? __real_malloc(bytes) : malloc(bytes);

    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof size);
    return block + HEAD;
}

static void lite_free(void *data)
{
    if (data != NULL)
        free((char *)data - HEAD);
}

static void *lite_realloc(void *data, int size)
{
    char *block = realloc((char *)data - HEAD, (size_t)size + HEAD);

    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof size);
    return block + HEAD;
}

static int lite_size(void *data)
{
    int size = 0;

    if (data != NULL)
        memcpy(&size, (char *)data - HEAD, sizeof size);
    return size;
}

static int lite_roundup(int size)
{
    return (size + 7) & ~7;
}

static int lite_init(void *user)
{
    (void)user;
    return SQLITE_OK;
}

static void lite_shutdown(void *user)
{
    (void)user;
}

static void share_allocator(void)
{
    static sqlite3_mem_methods lite = {
        lite_malloc,  lite_free, lite_realloc,  lite_size,
        lite_roundup, lite_init, lite_shutdown, NULL,
    };

    cr_assert_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &lite), SQLITE_OK);
    cr_assert_eq(sqlite3_initialize(), SQLITE_OK);
}

// Makes a store with a job and a call, and reads it into `whole`.
static void make_whole(void)
{
    struct err err = ERR_CLEAR;
    struct store *store = store_open(path, &err);

    cr_assert_not_null(store, "%s", err.text);
    cr_assert_neq(put_call(store, open_job(store, &err), 1, &err), 0);
    store_close(store);
    int fd = open(path, O_RDONLY);
    ssize_t got = read(fd, whole, sizeof whole);
    (void)close(fd);
    cr_assert(got > 0 && (size_t)got < sizeof whole);
    whole_len = (size_t)got;
}

// Must not allocate.
static bool put_back_whole(void)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char name[80];

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, endings[i]);
        (void)unlink(name);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    bool ok = write(fd, whole, whole_len) == (ssize_t)whole_len;
    (void)close(fd);
    return ok;
}

static bool use_job(struct store *store, int64_t job, struct err *err)
{
    struct history_part part = {"a", "Do it.", "[]", 0, 0};
    struct history_candidate candidate = {
        .hash = {{1}}, .parts = &part, .n_parts = 1, .reason = "first"};
    struct history_trial trial = {.number = 1, .kind = "full"};
    struct history_evaluation one = {.n_calls = 1, .calls = {1}};
    const size_t rows[] = {1, 2};

    one.candidate_id = trial.candidate_id =
        history_candidate(store, job, &candidate, err);
    return one.candidate_id != 0 &&
           history_trial(store, job, &trial, err) == TRIAL_NEW &&
           history_put_evaluation(store, job, &one, err) &&
           history_split(store, job, "train", rows, 2, err) &&
           store_flush(store, err);
}

static bool use_store(struct err *err)
{
    struct call_answer answer = {0};
    json_t *rows = NULL;
    bool ok = false;

    if (!put_back_whole())
        return false;
    struct store *store = store_open(path, err);
    if (store == NULL)
        return false;
    int64_t job = open_job(store, err);
    if (job == 0 || put_call(store, job, 2, err) == 0 ||
        !use_job(store, job, err) || !calls_load(store, 1, &answer, err))
        goto out;
    rows = query_rows(store, "SELECT * FROM v_trials", NULL, 0, err);
    ok = rows != NULL;

out:
    json_decref(rows);
    call_answer_release(&answer);
    store_close(store);
    return ok;
}

Test(store, every_failing_allocation_reports_out_of_memory)
{
    share_allocator();
    make_whole();
    cr_expect_geq(fault_each(use_store), 100);
}

static bool make_store(struct err *err)
{
    remove_files();
    struct store *store = store_open(path, err);

    store_close(store);
    return store != NULL;
}

Test(store, creating_a_store_survives_every_failing_allocation)
{
    cr_expect_geq(fault_each(make_store), 5);
}
