#include "search/optimizers/miprov2/val_rows.h"

#include <criterion/criterion.h>

#include "common/buf.h"
#include "fake_session.h"

enum { ROWS = 5 };

static struct err err;
static struct session *session;

static json_t *answer(void *user, const struct fake_ask *ask)
{
    (void)user;
    (void)ask;
    return json_pack("{s:s}", "label", "x");
}

static double score(void *user, const json_t *example, const json_t *outputs)
{
    (void)user;
    (void)example;
    (void)outputs;
    return 0;
}

static void start(void)
{
    struct buf examples = BUF_INIT(1 << 16);

    for (int i = 0; i < ROWS; i++)
        buf_printf(&examples, "%s{\"text\": \"row %d\", \"label\": \"x\"}",
                   i > 0 ? "," : "[", i);
    buf_putc(&examples, ']');
    session = fake_new(
        "inputs: {text: {desc: A text}}\n"
        "steps:\n"
        "  one: {predict: Sort., inputs: [text], outputs: {label: {desc: x}}}\n"
        "outputs: {label: one.label}\n",
        examples.data, 0, NULL, (struct fake_script){answer, score, NULL},
        FINISH_LATE);
    buf_release(&examples);
}

static void stop(void)
{
    fake_free(session);
}

TestSuite(val_rows, .init = start, .fini = stop);

// A share is dealt, class by class, and so in no order.
Test(val_rows, every_row_of_a_share_counts_whatever_their_order)
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
    scores[val.rows[0]] = 1; // rows are their places here
    cr_expect_float_eq(val_rows_mean(&val, &trial), 0.5, 1e-12);
    val_rows_release(&val);
}
