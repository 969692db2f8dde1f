// A whole job on a failing disk. Only what nobody was told about may be lost.
// Afterwards the job continues with the same store and ends with the bytes of
// an undisturbed run.

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "fault/vfs_fault.h"
#include "unit/spine.h"

enum { RUNS_MAX = 5000 };

static const char job[] = SPINE_JOB("labeled_few_shot: {k: 4}");

static struct spine spine;
static char *examples;
static char *whole; // the compiled file of an undisturbed run

static void open_spine(void)
{
    spine_init(&spine, &(struct sim_options){.slots = 4});
}

static void set_up(void)
{
    vfs_fault_install();
    examples = spine_examples();
    open_spine();
    spine_start(&spine, 1, 4);
    spine_submit(&spine, "run", "{}", job, examples);
    cr_assert_eq(spine.status, 0);
    whole = strdup(spine.compiled);
    spine_release(&spine);
}

static void tear_down(void)
{
    free(examples);
    free(whole);
}

TestSuite(coordinator, .init = set_up, .fini = tear_down);

static const char *error_text(void)
{
    return json_get_text(json_object_get(spine.document, "error"), "text",
                         "no error");
}

// The store ends the run, or, if the run was over, is the reason that its
// result is not stored.
static void expect_pause(int n)
{
    json_t *error = json_object_get(spine.document, "error");
    const char *why = error_text();

    if (spine.status == 0) // the fault came after all had been reported
        return;
    cr_assert_eq(spine.status, 3, "operation %d: status %d", n,
                 (int)spine.status);
    if (error == NULL)
        why = json_get_text(spine.document, "reason", "");
    else
        cr_assert_str_eq(json_get_text(error, "code", ""), "store",
                         "operation %d: %s", n, why);
    cr_assert_not_null(strstr(why, spine.folder), "operation %d: \"%s\"", n,
                       why);
}

// Returns false when the run had no such operation.
static bool run_with(enum vfs_fault fault, int n)
{
    bool failed;

    open_spine();
    spine_start(&spine, 1, 4);
    vfs_fault_arm(fault, n, true);
    spine_submit(&spine, "run", "{}", job, examples);
    failed = vfs_fault_disarm();
    expect_pause(n);
    cr_assert(failed || spine.status == 0);
    spine_stop(&spine);
    spine_start(&spine, 1, 4);
    spine_submit(&spine, "run", "{}", job, examples);
    cr_assert_eq(spine.status, 0, "after operation %d: %s", n, error_text());
    cr_assert_str_eq(spine.compiled, whole, "after operation %d", n);
    spine_release(&spine);
    return failed;
}

static int number_of(const char *variable)
{
    const char *text = getenv(variable);

    return text == NULL ? 0 : atoi(text);
}

// Tries the first operations one by one, and then ever larger steps. With
// PROMPTCC_FAULT_SHARDS=n every operation is tried, and this process does every
// n-th one from PROMPTCC_FAULT_SHARD (0 and up) on.
static int step_from(int n)
{
    int shards = number_of("PROMPTCC_FAULT_SHARDS");

    return shards > 0 ? shards : 1 + n / 8;
}

static void run_every(enum vfs_fault fault, int at_least)
{
    int n = number_of("PROMPTCC_FAULT_SHARD");

    while (run_with(fault, n)) {
        cr_assert_lt(n, RUNS_MAX);
        n += step_from(n);
    }
    cr_expect_gt(n, at_least);
}

Test(coordinator, job_continues_after_any_failing_write)
{
    run_every(VFS_WRITE, 20);
}

Test(coordinator, job_continues_after_any_failing_sync)
{
    run_every(VFS_SYNC, 3);
}

Test(coordinator, job_continues_after_a_full_disk)
{
    run_every(VFS_FULL, 20);
}
