#include "search/optimizers/miprov2/val_rows.h"

#include <criterion/criterion.h>

#include "fake_session.h"

enum { ROWS = 5 };

static struct err err;
static struct session *session;

static void start(void)
{
    session = fake_plain(ROWS, 0);
}

static void stop(void)
{
    fake_free(session);
}

TestSuite(val_rows, .init = start, .fini = stop);

// A share is dealt out class by class, so its rows are in no order.
Test(val_rows, every_row_of_a_share_counts_in_any_order)
{
    static const size_t dealt[ROWS] = {3, 0, 4, 2, 1};
    bool scored[ROWS] = {true, true, true, true, true};
    double scores[ROWS] = {1, 0, 1, 0, 1};
    struct trial trial = {.rows = session->split.rows[SHARE_VAL],
                          .n_rows = ROWS,
                          .scored = scored,
                          .scores = scores};
    struct val_rows val = {0};

    for (size_t i = 0; i < ROWS; i++)
        session->split.rows[SHARE_VAL][i] = dealt[i];
    cr_assert(val_rows_init(&val, session, ROWS, &err), "%s", err.text);
    cr_expect_float_eq(val_rows_mean(&val, &trial), 0.6, 1e-12);
    val_rows_release(&val);
}

Test(val_rows, rows_that_do_not_count_are_left_out_of_the_mean)
{
    bool scored[ROWS] = {true, true, true, true, true};
    double scores[ROWS] = {0};
    struct trial trial = {.rows = session->split.rows[SHARE_VAL],
                          .n_rows = ROWS,
                          .scored = scored,
                          .scores = scores};
    struct val_rows val = {0};

    cr_assert(val_rows_init(&val, session, 2, &err), "%s", err.text);
    scores[val.rows[0]] = 1; // here, rows are indexes into the share
    cr_expect_float_eq(val_rows_mean(&val, &trial), 0.5, 1e-12);
    val_rows_release(&val);
}
