#include "simulated/sim_odds.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { TOKEN_BYTES = 4 };

// A label in the reply.
struct spot {
    size_t at, len;
    size_t field;
};

// Returns where `text` first occurs at or after `from`, ignoring case, or len
// if it does not.
static size_t find(const char *reply, size_t len, size_t from, const char *text)
{
    size_t n = strlen(text);
    for (size_t at = from; n > 0 && at + n <= len; at++)
        if (strncasecmp(reply + at, text, n) == 0)
            return at;
    return len;
}

static size_t find_spots(const struct sim_ask *ask, const char *reply,
                         size_t len, struct spot *spots)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    size_t n = 0;
    size_t at = 0;
    for (size_t field = 0; field < prompt->n_outputs; field++) {
        size_t name = find(reply, len, at, prompt->outputs[field].name);
        if (name < len)
            at = name + strlen(prompt->outputs[field].name);
        if (ask->odds[field] == NULL)
            continue;
        size_t value = find(reply, len, at, ask->values[field]);
        if (value == len)
            continue;
        spots[n++] = (struct spot){value, strlen(ask->values[field]), field};
        at = value + spots[n - 1].len;
    }
    return n;
}

static size_t token_len(const char *text, size_t len)
{
    size_t n = len < TOKEN_BYTES ? len : TOKEN_BYTES;
    while (n < len && ((unsigned char)text[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static void put_entry(struct buf *out, const char *token, size_t len, double p)
{
    buf_puts(out, "{\"token\": ");
    buf_put_json(out, token, len);
    buf_printf(out, ", \"logprob\": %.6g", log(fmax(p, 1e-9)));
}

// Appends a token of the reply's form.
static void put_form_token(struct buf *out, const char *token, size_t len,
                           size_t top)
{
    put_entry(out, token, len, 1);
    buf_puts(out, ", \"top_logprobs\": [");
    if (top > 0) {
        put_entry(out, token, len, 1);
        buf_putc(out, '}');
    }
    buf_puts(out, "]}");
}

// One possible next token within a label, and its probability.
struct next_token {
    const char *text;
    size_t len;
    double p;
};

static struct next_token *next_token_of(struct next_token *list, size_t *n,
                                        const char *text)
{
    size_t len = token_len(text, strlen(text));
    for (size_t i = 0; i < *n; i++)
        if (list[i].len == len && strncasecmp(list[i].text, text, len) == 0)
            return &list[i];
    list[*n] = (struct next_token){text, len, 0};
    return &list[(*n)++];
}

// Lists the possible next tokens of all labels that agree with the chosen one
// in their first `done` bytes, the most likely first.
static size_t list_next_tokens(const struct sim_label_set *set,
                               const double *odds, const char *chosen,
                               size_t done, struct next_token *list)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        const char *label = set->labels[i];
        if (strlen(label) <= done || strncasecmp(label, chosen, done) != 0)
            continue;
        next_token_of(list, &n, label + done)->p += odds[i];
        sum += odds[i];
    }
    for (size_t i = 0; i < n; i++) {
        list[i].p /= sum > 0 ? sum : 1;
        for (size_t k = i; k > 0 && list[k].p > list[k - 1].p; k--) {
            struct next_token held = list[k];
            list[k] = list[k - 1];
            list[k - 1] = held;
        }
    }
    return n;
}

// Appends the token that follows the first `done` bytes of a label, and returns
// its length. The written label may differ in case.
static size_t put_label_token(const struct sim_ask *ask, size_t field,
                              const char *written, size_t done, size_t top,
                              struct buf *out)
{
    const struct sim_label_set *set = &ask->task->labels[field];
    const char *chosen = ask->values[field];
    struct next_token list[SIM_LABELS_MAX];
    size_t n = list_next_tokens(set, ask->odds[field], chosen, done, list);
    size_t len = token_len(chosen + done, strlen(chosen + done));
    double own = 1;
    for (size_t i = 0; i < n; i++)
        if (list[i].len == len &&
            strncasecmp(list[i].text, chosen + done, len) == 0)
            own = list[i].p;
    put_entry(out, written, len, own);
    buf_puts(out, ", \"top_logprobs\": [");
    for (size_t i = 0; i < n && i < top; i++) {
        bool self =
            list[i].len == len && strncasecmp(list[i].text, written, len) == 0;
        buf_puts(out, i > 0 ? ", " : "");
        put_entry(out, self ? written : list[i].text, list[i].len, list[i].p);
        buf_putc(out, '}');
    }
    buf_puts(out, "]}");
    return len;
}

void sim_odds_put(const struct sim_ask *ask, const char *reply, size_t len,
                  size_t top, struct buf *out)
{
    struct spot spots[SIM_FIELDS_MAX];
    size_t n = find_spots(ask, reply, len, spots);
    size_t next = 0;
    buf_putc(out, '[');
    for (size_t at = 0; at < len;) {
        buf_puts(out, at > 0 ? ", " : "");
        while (next < n && spots[next].at + spots[next].len <= at)
            next++;
        if (next < n && at >= spots[next].at) {
            at += put_label_token(ask, spots[next].field, reply + at,
                                  at - spots[next].at, top, out);
            continue;
        }
        size_t until = next < n ? spots[next].at : len;
        size_t piece = token_len(reply + at, until - at);
        put_form_token(out, reply + at, piece, top);
        at += piece;
    }
    buf_putc(out, ']');
}
