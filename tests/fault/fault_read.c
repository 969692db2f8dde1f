// A store on a disk that cannot be read, at each read one after the other. A
// failed read is reported. It never gives a listing without rows, the score of
// other bytes, or an answer that has to be paid for again.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "fault/vfs_fault.h"
#include "store/lookup.h"
#include "unit/spine.h"

enum { RUNS_MAX = 5000, PAGE_BYTES = 8192 };

static const char job[] =
    SPINE_JOB("bootstrap_random_search: {num_candidate_programs: 2}");

// What people ask of a history, and the answers of a disk that works.
static struct question {
    const char *verb;
    const char *argument; // JSON
    char *answer;         // owned
} questions[] = {
    {"jobs", "{}", NULL},
    {"show", "{}", NULL},
    {"trials", "{}", NULL},
    {"best", "{\"limit\": 2}", NULL},
    {"export", "{}", NULL},
    {"query", "{\"sql\": \"SELECT reply FROM v_calls ORDER BY id\"}", NULL},
    {"workers", "{\"all\": true}", NULL},
    {"summary", "{}", NULL},
    {"trial-page", "{}", NULL},
    {"curve", "{}", NULL},
    {"tokens", "{}", NULL},
    {"candidate", "{\"candidate\": 1}", NULL},
    {"lineage", "{}", NULL},
    {"origins", "{}", NULL},
    {"failures", "{}", NULL},
    {"call", "{\"call\": 1}", NULL},
    {"evaluations", "{\"candidate\": 1}", NULL},
    {"cost", "{}", NULL},
    {"events", "{}", NULL},
};
enum { QUESTIONS = sizeof questions / sizeof *questions };

static struct spine spine;
static char *examples;
static char *whole; // the compiled file of an undisturbed run
static char path[96];

static char *ask(struct store *store, const struct question *question,
                 struct err *err)
{
    json_t *argument = json_loads(question->argument, 0, NULL);
    json_t *answer = lookup_answer(store, question->verb, "", argument, err);
    char *text = answer == NULL
                     ? NULL
                     : json_dumps(answer, JSON_COMPACT | JSON_ENCODE_ANY);

    json_decref(argument);
    json_decref(answer);
    return text;
}

static void learn_answers(void)
{
    struct err err = ERR_CLEAR;
    struct store *store = store_open_read(path, &err);

    cr_assert_not_null(store, "%s", err.text);
    for (size_t i = 0; i < QUESTIONS; i++) {
        questions[i].answer = ask(store, &questions[i], &err);
        cr_assert_not_null(questions[i].answer, "%s: %s", questions[i].verb,
                           err.text);
    }
    store_close(store);
}

static void set_up(void)
{
    vfs_fault_install();
    examples = spine_examples();
    spine_init(&spine, &(struct sim_options){.slots = 4});
    (void)snprintf(path, sizeof path, "%s/store.db", spine.folder);
    spine_start(&spine, 1, 4);
    spine_submit(&spine, "run", "{}", job, examples);
    cr_assert_eq(spine.status, 0);
    whole = strdup(spine.compiled);
    spine_stop(&spine);
}

static void tear_down(void)
{
    for (size_t i = 0; i < QUESTIONS; i++)
        free(questions[i].answer);
    spine_release(&spine);
    free(examples);
    free(whole);
}

TestSuite(read, .init = set_up, .fini = tear_down);

// Checks that the error is a sentence with the file and what to do.
static void expect_reported(const struct err *err, int n)
{
    cr_assert(err->code == ERR_STORE || err->code == ERR_INPUT,
              "operation %d: %s, %s", n, err_code_name(err->code), err->text);
    cr_assert_not_null(strstr(err->text, path), "operation %d: %s", n,
                       err->text);
    cr_assert(strchr(err->text, ';') != NULL || strchr(err->text, '?') != NULL,
              "operation %d: %s", n, err->text);
}

// Returns false when there was no such operation.
static bool ask_all(enum vfs_fault fault, int n, bool lasting)
{
    struct err err = ERR_CLEAR;
    struct store *store;
    bool failed;

    vfs_fault_arm(fault, n, lasting);
    store = store_open_read(path, &err);
    if (store == NULL)
        expect_reported(&err, n);
    for (size_t i = 0; store != NULL && i < QUESTIONS; i++) {
        char *answer;

        err = ERR_CLEAR;
        answer = ask(store, &questions[i], &err);
        if (answer == NULL)
            expect_reported(&err, n);
        else
            cr_assert_str_eq(answer, questions[i].answer, "operation %d: %s", n,
                             questions[i].verb);
        free(answer);
    }
    store_close(store);
    failed = vfs_fault_disarm();
    return failed;
}

static void ask_with_every(enum vfs_fault fault, int at_least)
{
    int n = 0;

    learn_answers();
    for (int lasting = 0; lasting < 2; lasting++) {
        for (n = 0; ask_all(fault, n, lasting != 0); n++)
            cr_assert_lt(n, RUNS_MAX);
        cr_expect_geq(n, at_least);
    }
}

Test(read, failed_read_is_not_an_empty_listing)
{
    ask_with_every(VFS_READ, 20);
}

Test(read, unknown_file_size_is_not_an_empty_listing)
{
    ask_with_every(VFS_SIZE, 1);
}

Test(read, unopenable_file_is_not_an_empty_listing)
{
    ask_with_every(VFS_OPEN, 2);
}

// SQLite takes what is beyond the end of a file for zeros. It notices by the
// size that pages are missing.
static void ask_with_less(off_t size)
{
    struct err err = ERR_CLEAR;
    struct store *store;

    cr_assert_eq(truncate(path, size), 0);
    store = store_open_read(path, &err);
    for (size_t i = 0; store != NULL && i < QUESTIONS; i++) {
        char *answer;

        err = ERR_CLEAR;
        answer = ask(store, &questions[i], &err);
        cr_assert_null(answer, "%d bytes: %s: %s", (int)size, questions[i].verb,
                       answer);
        expect_reported(&err, (int)size);
    }
    if (store == NULL)
        expect_reported(&err, (int)size);
    store_close(store);
}

Test(read, truncated_store_is_not_an_empty_listing)
{
    struct stat whole_store;

    learn_answers();
    cr_assert_eq(stat(path, &whole_store), 0);
    for (off_t pages = whole_store.st_size / PAGE_BYTES - 1; pages >= 0;
         pages -= 1 + pages / 8)
        ask_with_less(pages * PAGE_BYTES);
}

// --- the job again, from its store ---

static bool start_is_refused(enum vfs_fault fault, int n)
{
    struct err err = ERR_CLEAR;
    struct store *store;

    vfs_fault_arm(fault, n, false);
    store = store_open(path, &err);
    if (store == NULL)
        expect_reported(&err, n);
    store_close(store);
    (void)vfs_fault_disarm();
    return store == NULL;
}

static void expect_whole(int n)
{
    json_t *error = json_object_get(spine.document, "error");

    cr_assert(spine.status == 0 || spine.status == 3,
              "operation %d: status %d: %s", n, (int)spine.status,
              json_get_text(error, "text", ""));
    if (spine.status == 0)
        cr_assert_str_eq(spine.compiled, whole, "operation %d", n);
    else
        cr_assert_str_eq(json_get_text(error, "code", ""), "store",
                         "operation %d: %s", n,
                         json_get_text(error, "text", ""));
}

static uint64_t answered(void)
{
    struct sim_stats stats;

    sim_server_stats(spine.sim, &stats);
    return stats.answered;
}

// The coordinator itself starts on a disk that can be read.
static bool run_again(enum vfs_fault fault, int n)
{
    uint64_t before = answered();
    bool failed;

    spine_start(&spine, 1, 4);
    vfs_fault_arm(fault, n, true);
    spine_submit(&spine, "run", "{}", job, examples);
    failed = vfs_fault_disarm();
    expect_whole(n);
    spine_stop(&spine);
    spine_start(&spine, 1, 4);
    spine_submit(&spine, "run", "{}", job, examples);
    cr_assert_eq(spine.status, 0, "after operation %d", n);
    cr_assert_str_eq(spine.compiled, whole, "after operation %d", n);
    spine_stop(&spine);
    cr_assert_eq(answered(), before,
                 "after operation %d: what was paid for was asked again", n);
    return failed;
}

static void run_with_every(enum vfs_fault fault)
{
    int n = 0;

    while (start_is_refused(fault, n))
        cr_assert_lt(++n, RUNS_MAX);
    cr_expect_gt(n, 0);
    for (n = 0; run_again(fault, n); n += 1 + n / 4)
        cr_assert_lt(n, RUNS_MAX);
    cr_expect_gt(n, 0);
}

Test(read, a_read_that_fails_costs_no_call)
{
    run_with_every(VFS_READ);
}

// Returns true when the job ends like the undisturbed one. Otherwise checks
// that the reason is reported.
static bool ends_whole(size_t what)
{
    struct err err = ERR_CLEAR;

    if (spine.status == 0) {
        cr_assert_str_eq(spine.compiled, whole, "operation %zu", what);
        return true;
    }
    err_set(
        &err, ERR_STORE, "%s",
        json_get_text(json_object_get(spine.document, "error"), "text", ""));
    expect_reported(&err, (int)what);
    return false;
}

static bool run_what_is_left(size_t at)
{
    struct err err = ERR_CLEAR;
    struct store *store = store_open(path, &err);
    bool opened = store != NULL;

    store_close(store);
    if (!opened) {
        expect_reported(&err, (int)at);
        return false;
    }
    spine_start(&spine, 1, 4);
    spine_submit(&spine, "run", "{}", job, examples);
    spine_stop(&spine);
    return ends_whole(at);
}

// SQLite takes the rest of a page for zeros, and half a page may look valid.
// What SQLite then writes to the file is wrong as well, and the next run has to
// notice it.
Test(read, short_read_is_not_taken_for_another_program)
{
    struct buf image = BUF_INIT(1 << 30);
    struct err err = ERR_CLEAR;
    bool failed = true;

    cr_assert(file_read(path, &image, &err), "%s", err.text);
    for (int n = 0; failed; n += 1 + n / 2) {
        cr_assert(file_write(path, image.data, image.len, &err), "%s",
                  err.text);
        spine_start(&spine, 1, 4);
        vfs_fault_arm(VFS_SHORT, n, n % 2 == 0);
        spine_submit(&spine, "run", "{}", job, examples);
        failed = vfs_fault_disarm();
        (void)ends_whole((size_t)n);
        spine_stop(&spine);
        (void)run_what_is_left((size_t)n);
    }
    buf_release(&image);
}
