#include "search/optimizers/gepa/minibatches.h"

#include <criterion/criterion.h>

#include "fake_session.h"

enum { ROWS = 7 }; // training rows

static struct err err;
static struct session *session;
static struct minibatches minibatches;

static void start(size_t n, size_t n_more)
{
    session = fake_plain(ROWS + 3, ROWS);
    cr_assert(minibatches_init(&minibatches, session, n, n_more, &err), "%s",
              err.text);
}

static void stop(void)
{
    minibatches_release(&minibatches);
    fake_free(session);
}

static struct minibatch take(int64_t iteration)
{
    struct minibatch out = {0};

    cr_assert(minibatches_take(&minibatches, iteration, &out, &err), "%s",
              err.text);
    return out;
}

TestSuite(minibatches, .fini = stop);

Test(minibatches, an_epoch_shows_no_row_twice)
{
    bool seen[ROWS + 3] = {false};

    start(3, 0);
    for (int64_t i = 0; i < ROWS / 3; i++) {
        struct minibatch batch = take(i);
        cr_assert_eq(batch.n, 3);
        for (size_t k = 0; k < batch.n; k++) {
            cr_assert_not(seen[batch.rows[k]], "row %zu", batch.rows[k]);
            seen[batch.rows[k]] = true;
        }
        minibatch_release(&batch);
    }
}

Test(minibatches, further_rows_are_not_in_the_minibatch)
{
    start(3, 4);
    struct minibatch batch = take(1); // its last rows start again at the front

    cr_assert_eq(batch.n_more, 4);
    for (size_t i = 0; i < batch.n + batch.n_more; i++)
        for (size_t k = 0; k < i; k++)
            cr_expect_neq(batch.rows[i], batch.rows[k]);
    minibatch_release(&batch);
}

Test(minibatches, few_rows_make_small_minibatches)
{
    start(100, 12);
    struct minibatch batch = take(5);

    cr_expect_eq(batch.n, ROWS);
    cr_expect_eq(batch.n_more, 0);
    minibatch_release(&batch);
}

Test(minibatches, rows_of_an_iteration_do_not_depend_on_earlier_draws)
{
    start(3, 2);
    struct minibatch first = take(4);
    struct minibatch other = take(0);
    struct minibatch again = take(4);

    for (size_t i = 0; i < first.n + first.n_more; i++)
        cr_expect_eq(first.rows[i], again.rows[i]);
    minibatch_release(&first);
    minibatch_release(&other);
    minibatch_release(&again);
}
