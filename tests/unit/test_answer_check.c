#include "coordinator/answer_check.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/vector.h"

static struct err err;

static struct call_answer answer_of(char *text)
{
    return (struct call_answer){
        .outcome = CALL_TEXT, .text = text, .text_len = strlen(text)};
}

static char *letters(size_t n)
{
    char *text = calloc(1, n + 1);

    cr_assert_not_null(text);
    memset(text, 'a', n);
    return text;
}

Test(answer_check, answer_far_longer_than_max_tokens_is_cut)
{
    const struct call_options asked = {.num_predict = 4, .top_logprobs = 1};
    char *text = letters(300 << 10);
    struct call_answer answer = answer_of(text);

    answer.logprobs = "[]";
    answer_bound(&asked, &answer);
    cr_expect_eq(answer.text_len, (256 << 10) + 4 * 1024);
    cr_expect_eq(answer.text[answer.text_len], '\0');
    cr_expect_eq(answer.outcome, CALL_CUT);
    cr_expect_not_null(answer.logprobs);
    free(text);
}

Test(answer_check, answer_of_the_expected_length_is_unchanged)
{
    const struct call_options asked = {.num_predict = 100};
    char text[] = "garden";
    struct call_answer answer = answer_of(text);

    answer.logprobs = "[]";
    answer_bound(&asked, &answer);
    cr_expect_str_eq(answer.text, "garden");
    cr_expect_eq(answer.outcome, CALL_TEXT);
    cr_expect_null(answer.logprobs, "nobody asked for them");
}

// Returns a vector of n numbers in the form of the store and the wire.
static struct buf vector_of(size_t n)
{
    const double numbers[] = {0.5, 1, 2};
    struct buf text = BUF_INIT(1024);

    cr_assert(vector_write(numbers, n, &text, &err), "%s", err.text);
    return text;
}

Test(answer_check, first_embedding_of_a_model_sets_the_vector_size)
{
    struct buf two = vector_of(2), three = vector_of(3);
    char words[] = "garden";
    struct call_answer answer = answer_of(two.data);
    size_t size = 0;

    err = ERR_CLEAR;
    cr_assert(answer_is_embedding(&answer, &size, &err), "%s", err.text);
    cr_expect_eq(size, 2);
    answer = answer_of(three.data);
    cr_expect_not(answer_is_embedding(&answer, &size, &err));
    cr_expect_str_eq(err.text, "an embedding has 3 numbers, where this model's "
                               "first had 2");
    answer = answer_of(words);
    cr_expect_not(answer_is_embedding(&answer, &size, &err));
    answer.outcome = CALL_TOO_LONG;
    cr_expect(answer_is_embedding(&answer, &size, &err));
    buf_release(&two);
    buf_release(&three);
}
