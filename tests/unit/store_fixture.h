// store_fixture: a store in its own folder, for the tests of store/.
//
// Include it once in a test file, and name open_folder and close_folder in the
// file's TestSuite. Criterion runs every test in its own process, so the state
// here belongs to a single test.

#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <sqlite3.h>

#include "scratch.h"
#include "store/calls.h"
#include "store/history.h"
#include "store/store.h"

static char folder[40];
static char path[64];
static struct store *store;
static struct err err;

static inline void open_folder(void)
{
    cr_assert_not_null(scratch_make("promptcc-store", folder, sizeof folder));
    (void)snprintf(path, sizeof path, "%s/s.db", folder);
}

static inline void close_folder(void)
{
    char name[512];
    DIR *dir = NULL;

    store_close(store);
    store = NULL;
    (void)chmod(folder, 0700);
    dir = opendir(folder);
    for (struct dirent *entry = NULL;
         dir != NULL && (entry = readdir(dir)) != NULL;) {
        (void)snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        (void)unlink(name);
    }
    if (dir != NULL)
        (void)closedir(dir);
    (void)rmdir(folder);
}

// Reads the job from the store, as a starting job does.
static inline bool load_job(int64_t job_no)
{
    struct job_index *index = history_read_job(store, job_no, &err);

    if (index != NULL)
        history_adopt_job(store, index);
    return index != NULL;
}

static inline void open_store(void)
{
    open_folder();
    store = store_open(path, &err);
    cr_assert_not_null(store, "%s", err.text);
}

static inline void reopen(void)
{
    store_close(store);
    store = store_open(path, &err);
    cr_assert_not_null(store, "%s", err.text);
}

static inline void flush(void)
{
    cr_assert(store_flush(store, &err), "%s", err.text);
}

static inline int64_t open_job(const char *id)
{
    struct history_job job = {
        .id = id,
        .name = "care",
        .path = "care/job.yaml",
        .canonical = "{}",
        .replay_version = 1,
    };
    bool created = false;
    int64_t no = history_open_job(store, &job, &created, &err);

    cr_assert_neq(no, 0, "%s", err.text);
    return no;
}

static inline struct hash number_key(int64_t number)
{
    return hash_of("test", &number, sizeof number);
}

// Stores a call whose key and texts are made from `number`.
static inline int64_t put_call_of(int64_t job_no, int64_t number,
                                  const char *role, const char *purpose,
                                  int cached_tokens)
{
    char reply[64];
    int len = snprintf(reply, sizeof reply, "reply %lld", (long long)number);
    struct call_answer answer = {
        .outcome = CALL_TEXT,
        .text = reply,
        .text_len = (size_t)len,
        .prompt_tokens = 100,
        .cached_tokens = cached_tokens,
        .generated_tokens = 7,
        .total_us = 5,
    };
    struct call_put call = {
        .key = number_key(number),
        .job_no = job_no,
        .role = role,
        .purpose = purpose,
        .step = "classify",
        .prefix_id = 0,
        .model = "m",
        .digest = "sha256:0",
        .options = "{}",
        .tail = ",{}]",
        .tail_len = 4,
        .answer = &answer,
        .worker = number % 2 == 0 ? "w2" : "w1",
        .attempts = 1,
        .finished_ms = 1000,
    };

    return calls_put(store, &call, &err);
}

static inline int64_t put_call(int64_t job_no, int64_t number)
{
    return put_call_of(job_no, number, "student", "trial", 60);
}

// Runs SQL from a second connection; returns the first text of its result. The
// caller frees it.
static inline char *text_outside(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    char *text = NULL;

    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
    text = strdup((const char *)sqlite3_column_text(stmt, 0));
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return text;
}

// Runs SQL on the file from a second connection, as another program would.
static inline void run_outside(const char *sql)
{
    sqlite3 *db = NULL;
    char *words = NULL;

    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    (void)sqlite3_exec(db, sql, NULL, NULL, &words);
    cr_assert_null(words, "%s", words);
    (void)sqlite3_close(db);
}

#endif
