#include "coordinator/answer_check.h"

#include "common/utf8.h"
#include "common/vector.h"

enum {
    ANSWER_BYTES = 256 << 10,     // of an answer; the widest embedding fits,
    ANSWER_TOKEN_BYTES = 1 << 10, // plus this for each token that was asked for
};

void answer_bound(const struct call_options *asked, struct call_answer *answer)
{
    size_t most =
        ANSWER_BYTES + (size_t)asked->num_predict * ANSWER_TOKEN_BYTES;

    if (asked->top_logprobs == 0)
        answer->logprobs = NULL;
    if (answer->text_len <= most)
        return;
    answer->text_len = utf8_cut(answer->text, most);
    answer->text[answer->text_len] = '\0';
    if (answer->outcome == CALL_TEXT)
        answer->outcome = CALL_CUT;
}

bool answer_is_embedding(const struct call_answer *answer, size_t *size,
                         struct err *err)
{
    float numbers[VECTOR_MAX];
    size_t n = 0;

    if (answer->outcome == CALL_TOO_LONG)
        return true;
    if (!vector_read(answer->text, answer->text_len, numbers, &n, err))
        return false;
    if (*size == 0)
        *size = n;
    if (*size != n)
        err_set(err, ERR_PROTOCOL,
                "an embedding has %zu numbers, where this model's first had "
                "%zu",
                n, *size);
    return *size == n;
}
