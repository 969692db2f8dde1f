#include "program/metric/score.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/utf8.h"

static const double ROUNDING = 1e-9; // how far a score may be outside 0 to 1

enum { ANSWER_MAX_BYTES = 1 << 20, ANSWER_SHOWN_BYTES = 60 };

void score_release(struct score *score)
{
    free(score->feedback);
    *score = (struct score){0};
}

bool score_give(struct score *out, double value, struct buf *feedback,
                struct err *err)
{
    bool ok = !feedback->no_memory;

    out->value = value;
    // Feedback that was cut at the cap still helps: only its end is missing.
    feedback->failed = false;
    if (ok && feedback->len > 0) { // without the buffer's spare room
        out->feedback = strdup(feedback->data);
        ok = out->feedback != NULL;
    }
    buf_release(feedback);
    if (!ok)
        err_nomem(err, "a metric's feedback");
    return ok;
}

// Shows at most ANSWER_SHOWN_BYTES of the answer in the error.
static void report_answer(struct err *err, const char *text, size_t len)
{
    size_t shown =
        len > ANSWER_SHOWN_BYTES ? utf8_cut(text, ANSWER_SHOWN_BYTES) : len;

    err_set(err, ERR_PROTOCOL,
            "the metric answered `%.*s`%s, expected {\"score\": 0 to 1} or a "
            "number from 0 to 1",
            (int)shown, text, shown < len ? " ..." : "");
}

// Copies any feedback; what is not a text is shown as JSON.
static bool copy_feedback(const json_t *feedback, struct score *out,
                          struct err *err)
{
    struct buf text = BUF_INIT(ANSWER_MAX_BYTES * 2);

    if (feedback == NULL || json_is_null(feedback))
        return true;
    if (json_is_string(feedback))
        buf_append(&text, json_string_value(feedback),
                   json_string_length(feedback));
    else
        json_put(&text, feedback);
    if (text.len >= FEEDBACK_MAX_BYTES)
        text.len = utf8_cut(text.data, FEEDBACK_MAX_BYTES - 1);
    if (buf_ok(&text, "a metric's feedback", err))
        out->feedback = strndup(text.len > 0 ? text.data : "", text.len);
    if (out->feedback == NULL)
        err_nomem(err, "a metric's feedback");
    buf_release(&text);
    return out->feedback != NULL;
}

bool score_read(const char *text, size_t len, struct score *out,
                struct err *err)
{
    json_t *value = json_parse(text, len, ANSWER_MAX_BYTES, NULL);
    const json_t *feedback = json_object_get(value, "feedback");
    const json_t *score =
        json_is_object(value) ? json_object_get(value, "score") : value;
    double number = json_is_number(score) ? json_number_value(score) : -1;
    bool ok = false;

    *out = (struct score){0};
    if (number > 1 && number <= 1 + ROUNDING)
        number = 1; // a sum of weights, such as 0.7 + 0.2 + 0.1
    if (number < 0 && number >= -ROUNDING)
        number = 0;
    if (!(number >= 0 && number <= 1)) {
        report_answer(err, text, len);
        goto out;
    }
    out->value = number;
    ok = copy_feedback(feedback, out, err);

out:
    json_decref(value);
    return ok;
}
