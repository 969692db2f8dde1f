#include "model/classify.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/json.h"
#include "common/plain.h"
#include "common/text.h"
#include "common/vector.h"
#include "model/logprobs.h"
#include "model/mend.h"

enum {
    MENDED_MAX = 3 * MODEL_MAX_REPLY, // mending can turn one byte into three
    TOKENS_MAX = 1 << 28,             // of one call; far above any window
    TEMPLATE_TOKENS = 1024,           // that a server may add around a prompt
    PIECE_MAX = 64,                   // longest repeated piece, in bytes
    REPEATS_MIN = 16,                 // Ollama stops a model after some 31
    SAID_BYTES = 140,                 // of a server's message in a fault
    WHAT_BYTES = 160,
    REFUSAL_BYTES = 256, // of the words of a refusal
};
#define TIME_MAX_US (INT64_C(7) * 24 * 3600 * 1000000)

static void set_fault(struct model_done *done, enum call_fault fault,
                      const char *what, const char *detail)
{
    struct err err = ERR_CLEAR;

    err_set(&err, ERR_FAULT, "%s%s%s", what, detail[0] == '\0' ? "" : ": ",
            detail);
    done->fault = fault;
    memcpy(done->text, err.text, sizeof done->text);
}

// Moves a copy of text into the answer. If there is no memory for it, the call
// ends in a fault and goes back.
static void set_answer(struct model_done *done, enum call_outcome outcome,
                       const char *text, size_t len)
{
    char *copy = malloc(len + 1);

    if (copy == NULL) {
        set_fault(done, FAULT_BROKEN, "no memory for an answer", "");
        return;
    }
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    done->fault = FAULT_NONE;
    done->answer.outcome = outcome;
    done->answer.text = copy;
    done->answer.text_len = len;
}

// ---- no reply at all

static const struct {
    enum call_fault fault;
    const char *what;
} exchanges[] = {
    [EXCHANGE_REFUSED] = {FAULT_REFUSED, "no connection to the model server"},
    [EXCHANGE_TIMEOUT] = {FAULT_TIMEOUT, "no answer in time"},
    [EXCHANGE_TOO_SLOW] = {FAULT_TIMEOUT,
                           "the answer came too slowly to end in time"},
    [EXCHANGE_BROKEN] = {FAULT_BROKEN,
                         "the connection ended in the middle of an answer"},
    [EXCHANGE_TOO_LARGE] = {FAULT_GARBAGE, "the reply is over 8 MiB"},
    [EXCHANGE_NOT_HTTP] = {FAULT_GARBAGE,
                           "the server sent no readable HTTP reply"},
};

// ---- a reply that is an error

// The words by which servers say, with status 400, that a prompt does not fit.
// Of all that a server writes, only these words decide what becomes an answer.
static const char *const too_long_words[] = {
    "exceed_context_size_error",               // llama.cpp, newer Ollama
    "input length exceeds the context length", // Ollama's own runner
    "context_length_exceeded",                 // OpenAI, LM Studio
    "\"param\":\"input_tokens\"",              // vLLM from 0.16
    "maximum context length",                  // vLLM before 0.16
};

static bool says_too_long(const struct model_reply *reply)
{
    size_t n = sizeof too_long_words / sizeof too_long_words[0];

    if (reply->status != 400)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (strstr(reply->body, too_long_words[i]) != NULL)
            return true;
    }
    return false;
}

// Returns the number after n_prompt_tokens, which may be in JSON inside JSON.
static int32_t read_prompt_tokens(const char *body)
{
    const char *at = strstr(body, "n_prompt_tokens");

    if (at == NULL)
        return 0;
    at += strlen("n_prompt_tokens");
    at += strspn(at, "\\\": ");
    long value = strtol(at, NULL, 10);
    return value > 0 && value <= TOKENS_MAX ? (int32_t)value : 0;
}

// Some routers put the key, without an error in it, into answers as well.
static bool has_error(const json_t *body)
{
    const json_t *error = json_object_get(body, "error");

    return error != NULL && !json_is_null(error) && !json_is_false(error) &&
           !(json_is_string(error) && json_string_length(error) == 0);
}

// Returns the text of an error object in any form that servers use: {"error":
// "text"}, {"error": {"message": "text"}}, {"detail": "text"} or {"message":
// "text"}.
static const char *error_text(const json_t *body)
{
    const char *text = json_get_text(json_object_get(body, "error"), "message",
                                     json_get_text(body, "error", NULL));

    if (text == NULL)
        text = json_get_text(body, "detail", NULL);
    return text != NULL ? text : json_get_text(body, "message", "");
}

// Writes what a server says about its error, on one line: the text of its error
// object or, without one, the beginning of the body. Returns true for an error
// object.
static bool read_error(const struct model_reply *reply, char *out, size_t size)
{
    json_t *body = json_parse(reply->body, reply->len, MODEL_MAX_REPLY, NULL);
    bool found = has_error(body);
    const char *text = body != NULL ? error_text(body) : "";
    if (text[0] == '\0')
        text = reply->body;
    size_t len = text_print(out, size, "%s", text + strspn(text, " \t\r\n"));

    out[plain_flatten(out, len)] = '\0';
    json_decref(body);
    return found;
}

static void set_missing_model(const struct model_backend *backend,
                              const struct model_asked *asked,
                              struct model_done *done)
{
    struct err err = ERR_CLEAR;

    if (backend->pull != NULL)
        err_set(&err, ERR_FAULT,
                "the server does not have the model %s: run `%s %s` there",
                asked->model, backend->pull, asked->model);
    else
        err_set(&err, ERR_FAULT,
                "the server does not have the model %s: start it with that "
                "model",
                asked->model);
    set_fault(done, FAULT_MODEL, err.text, "");
}

struct status_row {
    long first;
    long last;
    enum call_fault fault;
    const char *what;
};

// The first row that contains the status decides.
static const struct status_row statuses[] = {
    {408, 408, FAULT_BUSY, "the server gave up waiting"},
    {429, 429, FAULT_BUSY, "the server asks for fewer requests"},
    {503, 503, FAULT_BUSY, "the server is busy"},
    {300, 399, FAULT_GARBAGE, "the server redirects to another address"},
    {401, 403, FAULT_REQUEST, "the server refuses access"},
    {400, 499, FAULT_REQUEST, "the server does not accept the request"},
    {500, 599, FAULT_SERVER, "the server failed"},
    {0, 999, FAULT_GARBAGE, "the server does not speak this API"},
};

static const struct status_row *row_of(const struct model_reply *reply)
{
    const struct status_row *row = statuses;

    while (reply->status < row->first || reply->status > row->last)
        row++;
    return row;
}

static void put_status(const struct model_reply *reply, char *out, size_t size)
{
    text_print(out, size, "%s (HTTP status %ld%s%s)", row_of(reply)->what,
               reply->status, reply->location[0] == '\0' ? "" : " to ",
               reply->location);
}

static void classify_error(const struct model_backend *backend,
                           const struct model_asked *asked,
                           const struct model_reply *reply,
                           struct model_done *done)
{
    char said[SAID_BYTES];
    char what[WHAT_BYTES];
    bool is_api = read_error(reply, said, sizeof said);

    if (says_too_long(reply)) {
        done->answer.prompt_tokens = read_prompt_tokens(reply->body);
        set_answer(done, CALL_TOO_LONG, "", 0);
        return;
    }
    if (reply->status == 404 && is_api) {
        set_missing_model(backend, asked, done);
        return;
    }
    if (reply->status == 404) {
        set_fault(done, FAULT_GARBAGE,
                  "no model server at this address (HTTP status 404)",
                  asked->kind == CALL_EMBED ? backend->embed_path
                                            : backend->chat_path);
        return;
    }
    put_status(reply, what, sizeof what);
    set_fault(done, row_of(reply)->fault, what, said);
}

void model_status_text(const struct model_reply *reply, char *out, size_t size)
{
    char said[SAID_BYTES];
    char what[WHAT_BYTES];

    (void)read_error(reply, said, sizeof said);
    put_status(reply, what, sizeof what);
    text_print(out, size, "%s%s%s", what, said[0] == '\0' ? "" : ": ", said);
}

// The words of servers that know no JSON schema, or not this one.
static const char *const format_words[] = {
    "response_format",
    "response format",
    "json_schema",
    "schema",
    "Schema",
    "grammar",
    "Grammar",
    "structured output",
    "Structured output",
};

static bool is_refused(const struct model_reply *reply)
{
    return reply->exchange == EXCHANGE_DONE &&
           (reply->status == 400 || reply->status == 422 ||
            reply->status == 500 || reply->status == 501);
}

bool model_refuses_format(const struct model_reply *reply)
{
    bool said = false;

    for (size_t i = 0; i < sizeof format_words / sizeof format_words[0]; i++)
        said = said || strstr(reply->body, format_words[i]) != NULL;
    return is_refused(reply) && said;
}

bool model_refuses_logprobs(const struct model_reply *reply)
{
    return is_refused(reply) && strstr(reply->body, "logprob") != NULL;
}

// ---- a reply that is an answer

// Counts the letters of a JSON text. It leaves out white space, escapes, all
// but the first of equal characters in a row, and the continuation bytes of
// UTF-8 sequences, because those may cost few tokens or none.
static size_t count_letters(const char *json, size_t len)
{
    size_t n = 0;
    char last = ' ';

    for (size_t i = 0; i < len; i++) {
        char c = json[i];
        if (c == '\\') {
            i += i + 1 < len && json[i + 1] == 'u' ? 5 : 1;
            continue;
        }
        n += c != last && c != ' ' && ((unsigned char)c & 0xC0) != 0x80;
        last = c;
    }
    return n;
}

// Servers older than `truncate` silently drop whole messages, or the middle of
// one, from a prompt that does not fit. Two signs give them away:
//
//   1. as many tokens as the window holds: no room was left for a reply;
//   2. more than 8 letters per token, when the text would not have fit even at
//      3 letters per token. In the vocabularies in use, text of any language
//      has 1 to 5 letters per token, not counting spaces.
//
// A milder cut goes unnoticed; the estimate before sending guards against it.
static bool is_cut_silently(const struct model_asked *asked, int64_t tokens)
{
    if (tokens <= 0)
        return false;
    if (tokens >= asked->num_ctx)
        return true;
    if (asked->messages_len / 3 <= (size_t)asked->num_ctx)
        return false;
    size_t letters = count_letters(asked->messages, asked->messages_len);
    return letters / 3 > (size_t)asked->num_ctx && letters / 8 > (size_t)tokens;
}

static bool is_blank(const char *text, size_t len)
{
    return strspn(text, " \t\r\n\f\v") == len;
}

// Returns true if text ends in one piece repeated over and over, as a model
// that cannot stop writes it: "ha ha ha ...". Pieces are short, and each is
// compared with the one after it.
static bool ends_in_repeats(const char *text)
{
    size_t len = strlen(text);

    for (size_t piece = 1; piece <= PIECE_MAX; piece++) {
        size_t wanted = piece * (REPEATS_MIN - 1);
        size_t same = 0;

        while (same < wanted && same + piece < len &&
               text[len - 1 - same] == text[len - 1 - same - piece])
            same++;
        if (same == wanted)
            return true;
    }
    return false;
}

// If a server ended early and gives no reason, it either stopped a model that
// repeats itself, which the text shows, or it lost the rest. Invisible pieces,
// such as unused tokens, count as repeats as well.
static bool is_loop(const struct reply_facts *facts)
{
    return is_blank(facts->text, facts->text_len)
               ? facts->thought[0] == '\0' || ends_in_repeats(facts->thought)
               : ends_in_repeats(facts->text);
}

static bool is_whole(const struct reply_facts *facts)
{
    return facts->finish != FINISH_BROKEN &&
           (facts->finish != FINISH_EARLY || is_loop(facts));
}

static enum call_outcome judge(const struct model_backend *backend,
                               const struct model_asked *asked,
                               const struct reply_facts *facts)
{
    bool cut = facts->finish == FINISH_LENGTH ||
               (facts->finish == FINISH_UNKNOWN &&
                facts->generated_tokens >= asked->num_predict);

    if (backend->cuts_silently && is_cut_silently(asked, facts->prompt_tokens))
        return CALL_TOO_LONG;
    if (facts->finish == FINISH_LOOP || facts->finish == FINISH_EARLY)
        return CALL_LOOP;
    if (!is_blank(facts->text, facts->text_len))
        return cut ? CALL_CUT : CALL_TEXT;
    return cut && facts->thought[0] == '\0' && facts->text_len > 0 ? CALL_LOOP
                                                                   : CALL_EMPTY;
}

// Limits a server's count to a harmless value, because counts are summed over
// many calls.
static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    if (value < least)
        return least;
    return value > most ? most : value;
}

// No vocabulary makes more tokens from a text than it has bytes. A server that
// counts more has miscounted, so its count is treated as unknown: it must
// neither make a prompt that fits look too long nor use up a budget of tokens.
static void doubt_counts(const struct model_asked *asked,
                         struct reply_facts *facts)
{
    int64_t prompt_most = (int64_t)asked->messages_len + TEMPLATE_TOKENS;
    int64_t written = (int64_t)(facts->text_len + strlen(facts->thought));
    int64_t most = asked->num_predict > written ? asked->num_predict : written;

    if (facts->prompt_tokens > prompt_most)
        facts->prompt_tokens = 0;
    facts->generated_tokens = clamp(facts->generated_tokens, 0, most);
}

static void copy_counts(const struct reply_facts *facts,
                        struct call_answer *answer)
{
    answer->prompt_tokens = (int32_t)clamp(facts->prompt_tokens, 0, TOKENS_MAX);
    answer->cached_tokens =
        (int32_t)clamp(facts->cached_tokens, -1, TOKENS_MAX);
    answer->generated_tokens =
        (int32_t)clamp(facts->generated_tokens, 0, TOKENS_MAX);
    answer->prompt_us = clamp(facts->prompt_us, 0, TIME_MAX_US);
    answer->generate_us = clamp(facts->generate_us, 0, TIME_MAX_US);
    answer->load_us = clamp(facts->load_us, 0, TIME_MAX_US);
}

// Keeps the words of a refusal in an empty answer, so that they can be shown.
static void set_empty(const struct reply_facts *facts, struct model_done *done)
{
    char said[REFUSAL_BYTES];
    size_t len = text_print(said, sizeof said, "%s", facts->refusal);

    len = plain_flatten(said, len);
    set_answer(done, CALL_EMPTY, said, len);
}

// Keeps the log-probabilities only if the text is kept.
static void take_facts(const struct model_backend *backend,
                       const struct model_asked *asked,
                       struct reply_facts *facts, struct model_done *done)
{
    doubt_counts(asked, facts);

    enum call_outcome outcome = judge(backend, asked, facts);
    bool has_text = outcome == CALL_TEXT || outcome == CALL_CUT;

    copy_counts(facts, &done->answer);
    if (outcome == CALL_EMPTY)
        set_empty(facts, done);
    else
        set_answer(done, outcome, facts->text, has_text ? facts->text_len : 0);
    if (asked->logprobs && has_text && done->fault == FAULT_NONE)
        done->answer.logprobs =
            model_logprobs(facts->logprobs, facts->text, facts->text_len);
}

static json_t *parse_reply(const struct model_reply *reply)
{
    json_t *body = json_parse(reply->body, reply->len, MODEL_MAX_REPLY, NULL);
    struct buf mended = BUF_INIT(MENDED_MAX);

    if (body != NULL)
        return body;
    mend_json(&mended, reply->body, reply->len);
    if (mended.data != NULL && !mended.failed)
        body = json_parse(mended.data, mended.len, MENDED_MAX, NULL);
    buf_release(&mended);
    return body;
}

static void set_reported(const struct model_reply *reply,
                         struct model_done *done)
{
    char said[SAID_BYTES];

    read_error(reply, said, sizeof said);
    set_fault(done, FAULT_SERVER, "the server sent an error (HTTP status 200)",
              said);
}

// Writes the numbers of an embedding as the text that is stored. ERR_PROTOCOL
// if they are not an embedding.
static bool put_vector(const json_t *numbers, struct buf *out, struct err *err)
{
    double list[VECTOR_MAX];
    size_t n = json_array_size(numbers);

    for (size_t i = 0; i < n && n <= VECTOR_MAX; i++) {
        const json_t *number = json_array_get(numbers, i);

        if (!json_is_number(number)) {
            err_set(err, ERR_PROTOCOL,
                    "an embedding contains something that is not a number");
            return false;
        }
        list[i] = json_number_value(number);
    }
    return vector_write(list, n, out, err);
}

static void take_embedding(const struct model_asked *asked,
                           const json_t *numbers, struct reply_facts *facts,
                           struct model_done *done)
{
    struct buf text = BUF_INIT(MODEL_MAX_REPLY);
    struct err why = ERR_CLEAR;

    doubt_counts(asked, facts);
    copy_counts(facts, &done->answer);
    if (put_vector(numbers, &text, &why))
        set_answer(done, CALL_TEXT, text.data, text.len);
    else
        set_fault(done, FAULT_GARBAGE,
                  "the reply is not what this API promises", why.text);
    buf_release(&text);
}

static void classify_embedding(const struct model_backend *backend,
                               const struct model_asked *asked,
                               const struct model_reply *reply,
                               struct model_done *done)
{
    struct reply_facts facts = {
        .text = "", .thought = "", .refusal = "", .cached_tokens = -1};
    json_t *body = parse_reply(reply);
    const json_t *numbers = backend->read_embedding(body, &facts);
    char said[SAID_BYTES];

    if (json_is_array(numbers)) {
        take_embedding(asked, numbers, &facts, done);
    } else if (has_error(body)) {
        set_reported(reply, done);
    } else {
        read_error(reply, said, sizeof said);
        set_fault(done, FAULT_GARBAGE,
                  "the reply does not have exactly one embedding", said);
    }
    json_decref(body);
}

static void classify_ok(const struct model_backend *backend,
                        const struct model_asked *asked,
                        const struct model_reply *reply,
                        struct model_done *done)
{
    struct reply_facts facts = {.text = "",
                                .thought = "",
                                .refusal = "",
                                .cached_tokens = -1,
                                .parts = BUF_INIT(MODEL_MAX_REPLY)};
    json_t *body = parse_reply(reply);

    char said[SAID_BYTES];
    if (has_error(body)) {
        set_reported(reply, done);
    } else if (body == NULL || !backend->read_reply(body, &facts)) {
        read_error(reply, said, sizeof said);
        set_fault(done, FAULT_GARBAGE,
                  "the reply is not what this API promises", said);
    } else if (!is_whole(&facts))
        set_fault(done, FAULT_GARBAGE,
                  "the reply is not what this API promises",
                  "the server ended it before it was done");
    else
        take_facts(backend, asked, &facts, done);
    buf_release(&facts.parts);
    json_decref(body);
}

void model_classify(const struct model_backend *backend,
                    const struct model_asked *asked,
                    const struct model_reply *reply, struct model_done *done)
{
    assert(reply->body != NULL && reply->detail != NULL);

    done->answer.cached_tokens = -1;
    if (reply->exchange != EXCHANGE_DONE)
        set_fault(done, exchanges[reply->exchange].fault,
                  exchanges[reply->exchange].what, reply->detail);
    else if (reply->status == 200 && asked->kind == CALL_EMBED)
        classify_embedding(backend, asked, reply, done);
    else if (reply->status == 200)
        classify_ok(backend, asked, reply, done);
    else
        classify_error(backend, asked, reply, done);
}
