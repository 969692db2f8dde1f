#include "web/metrics.h"

#include <pthread.h>
#include <stdatomic.h>

#include "store_fixture.h"

// What operators are told of a store that is being written.

enum { CALLS = 20000 };

static atomic_bool written;

TestSuite(web_metrics, .init = open_store, .fini = close_folder);

static void *open_nothing(void *user, struct err *why)
{
    (void)user;
    err_set(why, ERR_IO, "no coordinator");
    return NULL;
}

static const struct web_commands no_commands = {.open = open_nothing};

static void scrape(struct metrics *metrics, struct readers *readers,
                   struct buf *out)
{
    buf_clear(out);
    metrics_write(metrics, &no_commands, readers, out);
    cr_assert(buf_ok(out, "metrics", &err), "%s", err.text);
}

static void *write_calls(void *user)
{
    int64_t job_no = open_job("care-1");

    (void)user;
    for (int64_t i = 1; i <= CALLS; i++)
        cr_assert_eq(put_call_of(job_no, i, "student", "trial", -1), i);
    flush();
    atomic_store(&written, true);
    return NULL;
}

// A scrape reads the number of the last call first, and more calls come while
// it adds them up.
Test(web_metrics, each_call_is_counted_once_while_more_are_written)
{
    struct metrics *metrics = metrics_new(&err);
    struct readers *readers = readers_new(path, &err);
    struct buf out = BUF_INIT(1 << 20);
    pthread_t writer;

    cr_assert(metrics != NULL && readers != NULL, "%s", err.text);
    cr_assert_eq(pthread_create(&writer, NULL, write_calls, NULL), 0);
    while (!atomic_load(&written))
        scrape(metrics, readers, &out);
    cr_assert_eq(pthread_join(writer, NULL), 0);
    scrape(metrics, readers, &out);
    cr_expect_not_null(strstr(out.data, "promptcc_calls_total{role=\"student\","
                                        "outcome=\"text\"} 20000\n"),
                       "%s", strstr(out.data, "promptcc_calls_total{"));
    buf_release(&out);
    readers_free(readers);
    metrics_free(metrics);
}
