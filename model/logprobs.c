#include "model/logprobs.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/logprobs.h"
#include "model/model.h"

enum { BEHIND_MAX = 256 };

static double probability(const json_t *entry)
{
    double p = exp(json_get_number(entry, "logprob", -1e9));

    return p >= 0 && p <= 1 ? p : p > 1; // rounding may pass 1
}

// Appends a token. If the token is not a whole character, its bytes are given
// separately and its text is something else.
static void put_token(struct buf *out, const json_t *entry)
{
    const json_t *bytes = json_object_get(entry, "bytes");
    const char *token = json_get_text(entry, "token", "");

    if (!json_is_array(bytes)) {
        buf_puts(out, token);
        return;
    }
    for (size_t i = 0; i < json_array_size(bytes); i++)
        buf_putc(out, (char)json_integer_value(json_array_get(bytes, i)));
}

// Finds where the text begins in the text of all tokens. Only a little follows
// it: what the server trims, and tokens that end a turn.
static bool find_text(const json_t *list, const char *text, size_t len,
                      size_t *at)
{
    struct buf all = BUF_INIT(MODEL_MAX_REPLY);
    bool found = false;

    for (size_t i = 0; i < json_array_size(list); i++)
        put_token(&all, json_array_get(list, i));
    for (size_t behind = 0; !all.failed && !found && behind <= BEHIND_MAX &&
                            len + behind <= all.len;
         behind++) {
        *at = all.len - len - behind;
        found = memcmp(all.data + *at, text, len) == 0;
    }
    buf_release(&all);
    return found;
}

static void put_others(struct buf *out, const json_t *entry)
{
    const json_t *top = json_object_get(entry, "top_logprobs");
    const char *own = json_get_text(entry, "token", "");

    for (size_t i = 0; i < json_array_size(top); i++) {
        const json_t *other = json_array_get(top, i);
        const char *token = json_get_text(other, "token", "");
        double p = probability(other);

        if (p < LOGPROBS_LEAST || strcmp(token, own) == 0)
            continue;
        buf_putc(out, ',');
        buf_put_json(out, token, strlen(token));
        buf_printf(out, ",%.4g", p);
    }
}

// Appends the doubtful tokens within the text, by their position in it. Returns
// false if the server does not say how likely one of the tokens was; that may
// be null, because JSON has no NaN.
static bool put_doubts(struct buf *out, const json_t *list, size_t from,
                       size_t len)
{
    struct buf token = BUF_INIT(MODEL_MAX_REPLY);
    size_t at = 0;
    bool told = true;

    buf_putc(out, '[');
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        double p = probability(entry);

        buf_clear(&token);
        put_token(&token, entry);
        bool within =
            token.len > 0 && at >= from && at + token.len <= from + len;
        told = told &&
               (!within || json_is_number(json_object_get(entry, "logprob")));
        if (p < LOGPROBS_CERTAIN && within) {
            buf_printf(out, "%s[%zu,%zu,%.4g", out->len > 1 ? "," : "",
                       at - from, token.len, p);
            put_others(out, entry);
            buf_putc(out, ']');
        }
        at += token.len;
    }
    buf_putc(out, ']');
    buf_release(&token);
    return told;
}

char *model_logprobs(const json_t *list, const char *text, size_t len)
{
    struct buf out = BUF_INIT(LOGPROBS_MAX_BYTES);
    char *kept = NULL;
    size_t from = 0;

    if (json_array_size(list) == 0 || len == 0 ||
        !find_text(list, text, len, &from))
        return NULL;
    if (put_doubts(&out, list, from, len) && !out.failed)
        kept = buf_take(&out);
    buf_release(&out);
    return kept;
}
