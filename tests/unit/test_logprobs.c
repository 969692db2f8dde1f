#include "common/logprobs.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "common/json.h"

static const char *const labels[] = {"track_order", "refund", "refund_request",
                                     "escalate"};

// Returns the probability of the label that begins at `at` in the reply `text`.
static double right(const char *logprobs, const char *text, size_t at,
                    const char *wanted)
{
    json_t *list =
        json_parse(logprobs, strlen(logprobs), LOGPROBS_MAX_BYTES, NULL);
    double p;

    cr_assert_not_null(list);
    p = logprobs_right(list, text, strlen(text), at, wanted, labels, 4);
    json_decref(list);
    return p;
}

static void expect(double got, double wanted)
{
    cr_expect(fabs(got - wanted) < 1e-12, "%g, not %g", got, wanted);
}

Test(logprobs, a_label_is_as_likely_as_its_first_token)
{
    const char *list = "[[4,5,0.7,\"esc\",0.2,\"ref\",0.1]]";

    expect(right(list, "is: track_order", 4, "track_order"), 0.7);
    expect(right(list, "is: track_order", 4, "escalate"), 0.2);
}

Test(logprobs, all_tokens_that_begin_the_label_count)
{
    const char *list = "[[0,5,0.5,\"tr\",0.2,\"t\",0.1,\" Track\",0.05,"
                       "\"trick\",0.1]]";

    expect(right(list, "track_order", 0, "track_order"), 0.85);
}

Test(logprobs, labels_with_a_common_start_are_separated_by_later_tokens)
{
    // "refund" may end there, or continue.
    const char *list = "[[0,6,0.8,\"esc\",0.2],[6,8,0.75,\"\\n\",0.25]]";

    expect(right(list, "refund_request\n", 0, "refund_request"), 0.8 * 0.75);
    expect(right(list, "refund_request\n", 0, "refund"), 0.8 * 0.25);
    expect(right(list, "refund_request\n", 0, "escalate"), 0.2);
}

Test(logprobs, labels_with_a_common_start_share_its_alternative_token)
{
    const char *list = "[[0,3,0.6,\"ref\",0.4]]";

    expect(right(list, "escalate", 0, "refund"), 0.2);
    expect(right(list, "escalate", 0, "refund_request"), 0.2);
}

Test(logprobs, unlisted_token_counts_as_certain)
{
    expect(right("[]", "\"escalate\"}", 1, "escalate"), 1);
    expect(right("[]", "\"escalate\"}", 1, "refund"), 0);
    expect(right("[]", "\"refund_request\"}", 1, "refund"), 0);
    expect(right("[]", "\"refund\"}", 1, "refund"), 1);
}

Test(logprobs, a_token_may_begin_before_the_label)
{
    const char *list = "[[3,7,0.9,\": \\\"track\",0.06,\"esc\",0.04]]";

    expect(right(list, "{\"x: \"esca\"}", 6, "escalate"), 0.9);
    expect(right(list, "{\"x: \"esca\"}", 6, "track_order"), 0.06);
}

Test(logprobs, case_and_markup_make_no_difference)
{
    const char *list = "[[0,2,0.9,\"track\",0.1],[2,8,0.8,\"Refund\",0.2]]";

    // The ** are not part of a label, and say nothing about one.
    expect(right("[[2,8,0.8,\"Refund\",0.2]]", "**Escalate**", 0, "escalate"),
           0.8);
    expect(right(list, "**Escalate**", 0, "escalate"), 0.9 * 0.8);
}

Test(logprobs, nonsense_gives_no_probability)
{
    static const char *const lists[] = {
        "[1,2]",      "[[]]",          "[[0]]",       "[[-1,5,0.5]]",
        "[[0,99,1]]", "[[99,1,0.5]]",  "[[0,0,0.5]]", "[[\"a\",5,0.5]]",
        "[[0,5,{}]]", "[[0,5,0.5,1]]", "{}",          "[null]",
    };

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        double p = right(lists[i], "escalate", 0, "escalate");

        cr_expect(p >= 0 && p <= 1, "%s: %g", lists[i], p);
    }
}
