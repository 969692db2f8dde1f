#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/classify.h"

static const char short_messages[] =
    "[{\"role\":\"user\",\"content\":\"What is the intent?\"}]";

static struct model_asked make_asked(void)
{
    return (struct model_asked){
        .model = "gemma3:270m",
        .messages = short_messages,
        .messages_len = sizeof short_messages - 1,
        .num_ctx = 512,
        .num_predict = 50,
    };
}

static struct model_done classify(const struct model_backend *backend,
                                  long status, const char *body)
{
    struct model_asked asked = make_asked();
    struct model_reply reply = {.exchange = EXCHANGE_DONE,
                                .status = status,
                                .body = body,
                                .len = strlen(body),
                                .detail = "",
                                .location = status == 302 ? "http://else" : ""};
    struct model_done done = {0};

    model_classify(backend, &asked, &reply, &done);
    return done;
}

struct answer_row {
    const char *body;
    enum call_outcome outcome;
    const char *text;
};

static void expect_answers(const struct model_backend *backend,
                           const struct answer_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct model_done done = classify(backend, 200, rows[i].body);
        cr_assert_eq(done.fault, FAULT_NONE, "%s: %s", rows[i].body, done.text);
        cr_expect_eq(done.answer.outcome, rows[i].outcome, "%s is %s",
                     rows[i].body, call_outcome_name(done.answer.outcome));
        cr_expect_str_eq(done.answer.text, rows[i].text);
        cr_expect_eq(done.answer.text_len, strlen(rows[i].text));
        call_answer_release(&done.answer);
    }
}

#define OLLAMA(content, more)                                                  \
    "{\"message\":{\"role\":\"assistant\",\"content\":\"" content              \
    "\"},\"done\":true" more "}"

#define HA_8 "ha ha ha ha ha ha ha ha "
#define HA_32 HA_8 HA_8 HA_8 HA_8
#define LINE_4 "- one\\n- one\\n- one\\n- one\\n"
#define LINE_16 LINE_4 LINE_4 LINE_4 LINE_4
// Ollama's answer when it stops a model that repeats itself.
#define EARLY(content, more)                                                   \
    "{\"message\":{\"role\":\"assistant\",\"content\":\"" content "\"" more    \
    "},\"done\":false}"

Test(model_classify, ollama_replies_map_to_outcomes)
{
    static const struct answer_row rows[] = {
        {OLLAMA("refund", ",\"done_reason\":\"stop\",\"eval_count\":3"),
         CALL_TEXT, "refund"},
        {OLLAMA("ref", ",\"done_reason\":\"length\",\"eval_count\":50"),
         CALL_CUT, "ref"},
        // A server too old to give a reason.
        {OLLAMA("refund", ",\"eval_count\":3"), CALL_TEXT, "refund"},
        {OLLAMA("ref", ",\"eval_count\":50"), CALL_CUT, "ref"},
        {OLLAMA("", ",\"done_reason\":\"stop\",\"eval_count\":1"), CALL_EMPTY,
         ""},
        {OLLAMA(" \\n", ",\"done_reason\":\"stop\",\"eval_count\":2"),
         CALL_EMPTY, ""},
        {OLLAMA("", ",\"done_reason\":\"length\",\"eval_count\":50"),
         CALL_EMPTY, ""},
        {OLLAMA(" \\n\\t\\n ", ",\"done_reason\":\"length\",\"eval_count\":50"),
         CALL_LOOP, ""},
        {"{\"message\":{\"role\":\"assistant\",\"content\":\"\","
         "\"thinking\":\"Let me see\"},\"done\":true,"
         "\"done_reason\":\"length\",\"eval_count\":50}",
         CALL_EMPTY, ""},
        {EARLY(HA_32, ""), CALL_LOOP, ""},
        {EARLY(HA_32 "ha", ""), CALL_LOOP, ""},
        {EARLY("[[ ## a ## ]]\\n" LINE_16, ""), CALL_LOOP, ""},
        {EARLY("\\n\\n\\n\\n", ""), CALL_LOOP, ""},
        {EARLY("", ""), CALL_LOOP, ""},
        {EARLY("", ",\"thinking\":\"Let me see. " HA_32 "\""), CALL_LOOP, ""},
        {OLLAMA("x", ",\"done_reason\":\"stop\",\"prompt_eval_count\":511"),
         CALL_TEXT, "x"},
        {OLLAMA("x", ",\"done_reason\":\"stop\",\"prompt_eval_count\":512"),
         CALL_TOO_LONG, ""},
    };

    expect_answers(&backend_ollama, rows, sizeof rows / sizeof rows[0]);
}

#define OPENAI(content, reason)                                                \
    "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":" content  \
    "},\"finish_reason\":" reason "}]}"

Test(model_classify, openai_replies_map_to_outcomes)
{
    static const struct answer_row rows[] = {
        {OPENAI("\"refund\"", "\"stop\""), CALL_TEXT, "refund"},
        {OPENAI("\"ref\"", "\"length\""), CALL_CUT, "ref"},
        {OPENAI("\"\"", "\"stop\""), CALL_EMPTY, ""},
        {OPENAI("null", "\"length\""), CALL_EMPTY, ""},
        {OPENAI("\"\\n\\n \"", "\"length\""), CALL_LOOP, ""},
        {"{\"choices\":[{\"message\":{\"content\":\"  \","
         "\"reasoning_content\":\"hm\"},\"finish_reason\":\"length\"}]}",
         CALL_EMPTY, ""},
        {OPENAI("\"ha ha\"", "\"repetition\""), CALL_LOOP, ""},
        {OPENAI("\"ref\"", "\"model_length\""), CALL_CUT, "ref"},
        {OPENAI("\"ref\"", "null"), CALL_TEXT, "ref"},
        {"{\"choices\":[{\"message\":{\"content\":\"" HA_32
         "\"},\"finish_reason\":null}],\"system_fingerprint\":\"fp_ollama\"}",
         CALL_LOOP, ""},
        {OPENAI("[{\"type\":\"text\",\"text\":\"re\"},"
                "{\"type\":\"text\",\"text\":\"fund\"}]",
                "\"stop\""),
         CALL_TEXT, "refund"},
        {OPENAI("[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\","
                "\"text\":\"hm\"}]},{\"type\":\"output_text\","
                "\"text\":\"refund\"}]",
                "\"stop\""),
         CALL_TEXT, "refund"},
        {OPENAI("[\"refund\", {\"type\":\"image_url\"}]", "\"stop\""),
         CALL_TEXT, "refund"},
        {OPENAI("[{\"type\":\"thinking\",\"thinking\":\"hm\"}]", "\"stop\""),
         CALL_EMPTY, ""},
        {OPENAI("[]", "\"stop\""), CALL_EMPTY, ""},
        {OPENAI("null,\"refusal\":\"I cannot\\nhelp.\"", "\"stop\""),
         CALL_EMPTY, "I cannot help."},
        {OPENAI("[{\"type\":\"refusal\",\"refusal\":\"No.\"}]", "\"stop\""),
         CALL_EMPTY, "No."},
        {"{\"choices\":[{\"message\":{\"refusal\":\"No.\"},"
         "\"finish_reason\":\"stop\"}]}",
         CALL_EMPTY, "No."},
        {OPENAI("\"\"", "\"content_filter\""), CALL_EMPTY, "content_filter"},
        {OPENAI("\"refund\",\"refusal\":null", "\"stop\""), CALL_TEXT,
         "refund"},
        {"{\"choices\":[{\"message\":{\"content\":\"refund\"},"
         "\"finish_reason\":\"stop\"}],\"error\":null}",
         CALL_TEXT, "refund"},
    };

    expect_answers(&backend_openai, rows, sizeof rows / sizeof rows[0]);
}

struct fault_row {
    long status;
    const char *body;
    enum call_fault fault;
    const char *says;
};

static void expect_faults(const struct model_backend *backend,
                          const struct fault_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct model_done done =
            classify(backend, rows[i].status, rows[i].body);
        cr_expect_eq(done.fault, rows[i].fault, "%ld %s is %s", rows[i].status,
                     rows[i].body, call_fault_name(done.fault));
        cr_expect_not_null(strstr(done.text, rows[i].says), "%s", done.text);
        cr_expect_null(done.answer.text);
        call_answer_release(&done.answer);
    }
}

Test(model_classify, ollama_errors_map_to_faults)
{
    static const struct fault_row rows[] = {
        {404, "{\"error\":\"model 'gemma3:270m' not found\"}", FAULT_MODEL,
         "ollama pull gemma3:270m"},
        {404, "404 page not found", FAULT_GARBAGE, "/api/chat"},
        {503,
         "{\"error\":\"server busy, please try again.  maximum pending "
         "requests exceeded\"}",
         FAULT_BUSY, "maximum pending"},
        {429, "", FAULT_BUSY, "fewer"},
        {500,
         "{\"error\":\"an error was encountered while running the model: "
         "unexpected EOF\"}",
         FAULT_SERVER, "unexpected EOF"},
        {500,
         "{\"error\":\"option \\\"temperature\\\" must be of type "
         "float32\"}",
         FAULT_SERVER, "float32"},
        {502, "<html>Bad Gateway</html>", FAULT_SERVER,
         "failed (HTTP status 502): <html>Bad Gateway</html>"},
        {400, "{\"error\":\"invalid format\"}", FAULT_REQUEST,
         "invalid format"},
        {401, "{\"detail\":\"Invalid API key\"}", FAULT_REQUEST,
         "refuses access (HTTP status 401): Invalid API key"},
        {302, "", FAULT_GARBAGE,
         "to another address (HTTP status 302 to http://else)"},
        {204, "", FAULT_GARBAGE, "does not speak"},
        {200, "", FAULT_GARBAGE, "not what this API promises"},
        {200, "<html>hello</html>", FAULT_GARBAGE, "promises"},
        {200, "[]", FAULT_GARBAGE, "promises"},
        {200, "{\"error\":\"context shift is disabled\"}", FAULT_SERVER,
         "status 200): context shift is disabled"},
        {200, "{\"message\":{\"content\":3},\"done\":true}", FAULT_GARBAGE,
         "promises"},
        {200, "{\"message\":{\"content\":\"par\"},\"done\":false}",
         FAULT_GARBAGE, "promises"},
        {200, OLLAMA("", ",\"done_reason\":\"load\""), FAULT_GARBAGE,
         "promises"},
        // With another status, a server's words decide nothing.
        {500, "{\"error\":\"exceed_context_size_error\"}", FAULT_SERVER, ""},
    };

    expect_faults(&backend_ollama, rows, sizeof rows / sizeof rows[0]);
}

Test(model_classify, openai_errors_map_to_faults)
{
    static const struct fault_row rows[] = {
        {404, "{\"error\":{\"message\":\"The model `x` does not exist\"}}",
         FAULT_MODEL, "start it with that model"},
        {503,
         "{\"error\":{\"code\":503,\"message\":\"Loading model\","
         "\"type\":\"unavailable_error\"}}",
         FAULT_BUSY, "Loading model"},
        {400, "{\"object\":\"error\",\"message\":\"bad schema\"}",
         FAULT_REQUEST, "bad schema"},
        {422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"bad model\"}]}",
         FAULT_REQUEST, "bad model"},
        {200, "{\"success\":false,\"error_msg\":\"no quota\"}", FAULT_GARBAGE,
         "no quota"},
        {200, "{\"choices\":[]}", FAULT_GARBAGE, "promises"},
        {200, OPENAI("\"ref\"", "\"abort\""), FAULT_GARBAGE, "before it was"},
        {200, OPENAI("\"ref\"", "\"error\""), FAULT_GARBAGE, "before it was"},
        {200, OPENAI("[{\"type\":\"text\"}]", "\"stop\""), FAULT_GARBAGE,
         "promises"},
        {200, OPENAI("[3]", "\"stop\""), FAULT_GARBAGE, "promises"},
        {200, OPENAI("{\"text\":\"x\"}", "\"stop\""), FAULT_GARBAGE,
         "promises"},
        {200, "{\"choices\":[{\"message\":{}}]}", FAULT_GARBAGE, "promises"},
    };

    expect_faults(&backend_openai, rows, sizeof rows / sizeof rows[0]);
}

Test(model_classify, server_error_for_an_oversized_prompt_is_recognized)
{
    static const char *const bodies[] = {
        "{\"error\":\"{\\\"error\\\":{\\\"code\\\":400,\\\"type\\\":"
        "\\\"exceed_context_size_error\\\",\\\"n_prompt_tokens\\\":1184,"
        "\\\"n_ctx\\\":512}}\"}",
        "{\"error\":{\"type\":\"exceed_context_size_error\","
        "\"n_prompt_tokens\":1184,\"n_ctx\":512}}",
        "{\"error\":\"the input length exceeds the context length\"}",
        "{\"error\":{\"code\":\"context_length_exceeded\"}}",
        "{\"error\":{\"message\":\"...\",\"param\":\"input_tokens\"}}",
        "{\"message\":\"This model's maximum context length is 512 tokens\"}",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct model_done done = classify(&backend_openai, 400, bodies[i]);
        cr_expect_eq(done.fault, FAULT_NONE, "%s", bodies[i]);
        cr_expect_eq(done.answer.outcome, CALL_TOO_LONG);
        cr_expect_eq(done.answer.prompt_tokens, i < 2 ? 1184 : 0);
        cr_expect_str_eq(done.answer.text, "");
        call_answer_release(&done.answer);
    }
}

// 1,184 tokens of English were sent, and a window of 512 kept 481 of them.
static struct model_done classify_long(const char *word, size_t repeats,
                                       int tokens)
{
    size_t word_len = strlen(word);
    char *messages = malloc(repeats * word_len + 1);
    char body[200];
    struct model_asked asked = make_asked();
    struct model_done done = {0};

    cr_assert_not_null(messages);
    for (size_t i = 0; i < repeats; i++)
        memcpy(messages + i * word_len, word, word_len);
    asked.messages = messages;
    asked.messages_len = repeats * word_len;
    snprintf(body, sizeof body,
             OLLAMA("x", ",\"done_reason\":\"stop\",\"prompt_eval_count\":%d"),
             tokens);
    struct model_reply reply = {.exchange = EXCHANGE_DONE,
                                .status = 200,
                                .body = body,
                                .len = strlen(body),
                                .detail = "",
                                .location = ""};
    model_classify(&backend_ollama, &asked, &reply, &done);
    free(messages);
    return done;
}

static enum call_outcome judge_long(const char *word, size_t repeats,
                                    int tokens)
{
    struct model_done done = classify_long(word, repeats, tokens);
    enum call_outcome outcome = done.answer.outcome;

    cr_assert_eq(done.fault, FAULT_NONE);
    call_answer_release(&done.answer);
    return outcome;
}

Test(model_classify, silently_truncated_prompt_is_detected)
{
    cr_expect_eq(judge_long("order ", 1184, 481), CALL_TOO_LONG);
    cr_expect_eq(judge_long("refund money ", 592, 481), CALL_TOO_LONG);
}

Test(model_classify, dense_prompt_that_fits_is_not_taken_for_truncated)
{
    cr_expect_eq(judge_long("order ", 480, 480), CALL_TEXT, "one word a token");
    cr_expect_eq(judge_long("        ", 4000, 300), CALL_TEXT, "white space");
    cr_expect_eq(judge_long("--------", 4000, 300), CALL_TEXT, "rules");
    cr_expect_eq(judge_long("\\n\\n\\n\\n", 4000, 300), CALL_TEXT, "escapes");
    cr_expect_eq(judge_long("\xe0\xa4\xa8\xe0\xa4\xae\xe0\xa4\xb8 ", 480, 480),
                 CALL_TEXT, "three bytes a letter");
}

Test(model_classify, counts_and_times_are_read)
{
    struct model_done done =
        classify(&backend_ollama, 200,
                 OLLAMA("x", ",\"done_reason\":\"stop\","
                             "\"prompt_eval_count\":120,\"eval_count\":7,"
                             "\"prompt_eval_duration\":5000000,"
                             "\"eval_duration\":7000000,"
                             "\"load_duration\":9000000"));

    cr_expect_eq(done.answer.prompt_tokens, 120);
    cr_expect_eq(done.answer.cached_tokens, -1);
    cr_expect_eq(done.answer.generated_tokens, 7);
    cr_expect_eq(done.answer.prompt_us, 5000);
    cr_expect_eq(done.answer.generate_us, 7000);
    cr_expect_eq(done.answer.load_us, 9000);
    call_answer_release(&done.answer);

    done = classify(&backend_openai, 200,
                    "{\"choices\":[{\"message\":{\"content\":\"x\"},"
                    "\"finish_reason\":\"stop\"}],\"usage\":{"
                    "\"prompt_tokens\":120,\"completion_tokens\":7,"
                    "\"prompt_tokens_details\":{\"cached_tokens\":100}},"
                    "\"timings\":{\"prompt_ms\":5.5,\"predicted_ms\":7}}");
    cr_expect_eq(done.answer.prompt_tokens, 120);
    cr_expect_eq(done.answer.cached_tokens, 100);
    cr_expect_eq(done.answer.generated_tokens, 7);
    cr_expect_eq(done.answer.prompt_us, 5500);
    cr_expect_eq(done.answer.generate_us, 7000);
    call_answer_release(&done.answer);
}

// 50 bytes of messages cannot have 512 tokens, nor 1 byte of text 2^63.
Test(model_classify, impossible_token_counts_are_ignored)
{
    struct model_asked asked = make_asked();
    static const char body[] = OLLAMA("x", ",\"done_reason\":\"stop\","
                                           "\"eval_count\":100000,"
                                           "\"prompt_eval_count\":4096");
    struct model_reply reply = {.exchange = EXCHANGE_DONE,
                                .status = 200,
                                .body = body,
                                .len = sizeof body - 1,
                                .detail = "",
                                .location = ""};
    struct model_done done = {0};

    asked.num_ctx = 4096;
    model_classify(&backend_ollama, &asked, &reply, &done);
    cr_assert_eq(done.fault, FAULT_NONE, "%s", done.text);
    cr_expect_eq(done.answer.outcome, CALL_TEXT);
    cr_expect_eq(done.answer.prompt_tokens, 0);
    cr_expect_eq(done.answer.generated_tokens, 50);
    call_answer_release(&done.answer);
}

Test(model_classify, absurd_counts_are_clamped_to_a_summable_range)
{
    struct model_done done =
        classify(&backend_ollama, 200,
                 OLLAMA("x", ",\"done_reason\":\"stop\","
                             "\"eval_count\":9223372036854775807,"
                             "\"prompt_eval_count\":-9223372036854775807,"
                             "\"eval_duration\":9223372036854775807,"
                             "\"load_duration\":-1"));

    cr_assert_eq(done.fault, FAULT_NONE, "%s", done.text);
    cr_expect_eq(done.answer.generated_tokens, 50); // num_predict
    cr_expect_eq(done.answer.prompt_tokens, 0);
    cr_expect_leq(done.answer.generate_us, INT64_C(604800000000));
    cr_expect_eq(done.answer.load_us, 0);
    call_answer_release(&done.answer);
}

Test(model_classify, invalid_text_is_repaired_not_refused)
{
    static const struct answer_row rows[] = {
        {OLLAMA("a\xff"
                "b",
                ",\"done_reason\":\"stop\""),
         CALL_TEXT,
         "a\xef\xbf\xbd"
         "b"},
        {OLLAMA("a\\u0000b", ",\"done_reason\":\"stop\""), CALL_TEXT,
         "a\xef\xbf\xbd"
         "b"},
        {OLLAMA("a\\ud83d b", ",\"done_reason\":\"stop\""), CALL_TEXT,
         "a\xef\xbf\xbd b"},
        {OLLAMA("\\ud83d\\ude00\\u0000", ",\"done_reason\":\"stop\""),
         CALL_TEXT, "\xf0\x9f\x98\x80\xef\xbf\xbd"},
        {OLLAMA("\\\\u0000\xff", ",\"done_reason\":\"stop\""), CALL_TEXT,
         "\\u0000\xef\xbf\xbd"},
    };

    expect_answers(&backend_ollama, rows, sizeof rows / sizeof rows[0]);
}

Test(model_classify, an_exchange_without_reply_is_a_fault_with_its_reason)
{
    static const struct {
        enum model_exchange exchange;
        enum call_fault fault;
    } rows[] = {
        {EXCHANGE_REFUSED, FAULT_REFUSED},   {EXCHANGE_TIMEOUT, FAULT_TIMEOUT},
        {EXCHANGE_TOO_SLOW, FAULT_TIMEOUT},  {EXCHANGE_BROKEN, FAULT_BROKEN},
        {EXCHANGE_TOO_LARGE, FAULT_GARBAGE}, {EXCHANGE_NOT_HTTP, FAULT_GARBAGE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct model_asked asked = make_asked();
        struct model_reply reply = {.exchange = rows[i].exchange,
                                    .body = "",
                                    .detail = "the reason",
                                    .location = ""};
        struct model_done done = {0};
        model_classify(&backend_ollama, &asked, &reply, &done);
        cr_expect_eq(done.fault, rows[i].fault);
        cr_expect_not_null(strstr(done.text, "the reason"), "%s", done.text);
    }
}

Test(model_classify,
     server_message_is_shown_on_one_line_and_cut_between_characters)
{
    char body[600] = "{\"error\":\"line\\nbreak ";

    for (int i = 0; i < 120; i++)
        strcat(body, "\xc3\xa9");
    strcat(body, "\"}");
    struct model_done done = classify(&backend_ollama, 500, body);
    cr_expect_null(strchr(done.text, '\n'));
    size_t len = strlen(done.text);
    cr_expect_eq(done.text[len - 2], '\xc3');
    cr_expect_eq(done.text[len - 1], '\xa9');
}

// ---- log-probabilities

#define ENTRY(token, logprob, others)                                          \
    "{\"token\":\"" token "\",\"logprob\":" logprob ",\"top_logprobs\":["      \
    "{\"token\":\"" token "\",\"logprob\":" logprob "}" others "]}"
#define OTHER(token, logprob)                                                  \
    ",{\"token\":\"" token "\",\"logprob\":" logprob "}"
// Thinking comes before the reply, and the end of the turn after it.
#define TOKENS                                                                 \
    "[" ENTRY("hm ", "-1", "") "," ENTRY("is", "-0.00001", "") "," ENTRY(      \
        " re", "-0.5",                                                         \
        OTHER(" tr", "-1.2")                                                   \
            OTHER("x", "-20")) "," ENTRY("fund", "0", "") "," ENTRY("<end>",   \
                                                                    "-0.7",    \
                                                                    "") "]"

static char *logprobs_of(const struct model_backend *backend, const char *body,
                         bool wanted)
{
    struct model_asked asked = make_asked();
    struct model_reply reply = {.exchange = EXCHANGE_DONE,
                                .status = 200,
                                .body = body,
                                .len = strlen(body),
                                .detail = "",
                                .location = ""};
    struct model_done done = {0};
    char *kept;

    asked.logprobs = wanted;
    model_classify(backend, &asked, &reply, &done);
    cr_assert_eq(done.fault, FAULT_NONE, "%s", done.text);
    cr_expect_str_eq(done.answer.text, "is refund");
    kept = done.answer.logprobs;
    done.answer.logprobs = NULL;
    call_answer_release(&done.answer);
    return kept;
}

static void expect_logprobs(char *kept, const char *wanted)
{
    cr_assert_not_null(kept);
    cr_expect_str_eq(kept, wanted);
    free(kept);
}

Test(model_classify, uncertain_tokens_are_kept_with_their_place_in_the_reply)
{
    const char *wanted = "[[2,3,0.6065,\" tr\",0.3012]]";

    expect_logprobs(logprobs_of(&backend_ollama,
                                OLLAMA("is refund", ",\"done_reason\":\"stop\","
                                                    "\"logprobs\":" TOKENS),
                                true),
                    wanted);
    expect_logprobs(
        logprobs_of(
            &backend_openai,
            "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":"
            "{\"content\":\"is refund\"},\"logprobs\":{\"content\":" TOKENS
            "}}]}",
            true),
        wanted);
}

Test(model_classify, missing_or_malformed_logprobs_are_ignored)
{
    cr_expect_null(logprobs_of(&backend_ollama,
                               OLLAMA("is refund", ",\"done_reason\":\"stop\""),
                               true));
    cr_expect_null(logprobs_of(
        &backend_ollama,
        OLLAMA("is refund", ",\"done_reason\":\"stop\",\"logprobs\":[" ENTRY(
                                "something else", "-1", "") "]"),
        true));
    cr_expect_null(logprobs_of(&backend_ollama,
                               OLLAMA("is refund",
                                      ",\"done_reason\":\"stop\",\"logprobs\":"
                                      "{\"is\":[7,null]}"),
                               true));
    cr_expect_null(logprobs_of(&backend_ollama,
                               OLLAMA("is refund", ",\"done_reason\":\"stop\","
                                                   "\"logprobs\":" TOKENS),
                               false));
}

// Servers in Python write NaN and infinities, which JSON does not allow.
Test(model_classify, number_that_json_cannot_express_does_not_lose_the_answer)
{
    const char *wanted = "[[2,3,0.6065,\" tr\",0.3012]]";

    cr_expect_null(logprobs_of(
        &backend_ollama,
        OLLAMA("is refund",
               ",\"done_reason\":\"stop\",\"logprobs\":[" ENTRY(
                   "is", "NaN", "") "," ENTRY(" refund", "-0.5", "") "]"),
        true));
    expect_logprobs(
        logprobs_of(
            &backend_ollama,
            OLLAMA(
                "is refund",
                ",\"done_reason\":\"stop\",\"a\":\"\\\"NaN\","
                "\"logprobs\":[" ENTRY("hm ", "-Infinity", "") "," ENTRY(
                    "is", "-0.00001",
                    "") "," ENTRY(" re", "-0.5",
                                  OTHER(" tr", "-1.2") OTHER(
                                      "x",
                                      "-Infinity")) "," ENTRY("fund", "0",
                                                              "") "," ENTRY("<e"
                                                                            "nd"
                                                                            ">",
                                                                            "Na"
                                                                            "N",
                                                                            "") "]"),
            true),
        wanted);
}

Test(model_classify, token_that_is_not_valid_text_is_located_by_its_bytes)
{
    expect_logprobs(
        logprobs_of(&backend_ollama,
                    OLLAMA("is refund",
                           ",\"done_reason\":\"stop\",\"logprobs\":["
                           "{\"token\":\"?\",\"logprob\":-0.5,"
                           "\"bytes\":[105,115],\"top_logprobs\":[]}," ENTRY(
                               " refund", "0", "") "]"),
                    true),
        "[[0,2,0.6065]]");
}

// ---- embeddings

static struct model_done classify_embedding(const struct model_backend *backend,
                                            long status, const char *body)
{
    struct model_asked asked = make_asked();
    struct model_reply reply = {.exchange = EXCHANGE_DONE,
                                .status = status,
                                .body = body,
                                .len = strlen(body),
                                .detail = "",
                                .location = ""};
    struct model_done done = {0};

    asked.kind = CALL_EMBED;
    model_classify(backend, &asked, &reply, &done);
    return done;
}

Test(model_classify, embedding_is_converted_to_its_stored_text)
{
    struct model_done done = classify_embedding(
        &backend_ollama, 200,
        "{\"embeddings\":[[1,-2.0]],\"prompt_eval_count\":5}");

    cr_assert_eq(done.fault, FAULT_NONE, "%s", done.text);
    cr_expect_eq(done.answer.outcome, CALL_TEXT);
    cr_expect_str_eq(done.answer.text, "AACAPwAAAMA=");
    cr_expect_eq(done.answer.prompt_tokens, 5);
    call_answer_release(&done.answer);
    done = classify_embedding(&backend_llama, 200,
                              "{\"data\":[{\"index\":0,\"embedding\":[1,-2]}],"
                              "\"usage\":{\"prompt_tokens\":5}}");
    cr_assert_eq(done.fault, FAULT_NONE, "%s", done.text);
    cr_expect_str_eq(done.answer.text, "AACAPwAAAMA=");
    cr_expect_eq(done.answer.prompt_tokens, 5);
    call_answer_release(&done.answer);
}

Test(model_classify, invalid_embedding_is_a_fault_with_a_reason)
{
    static const struct {
        const char *body;
        const char *words;
    } rows[] = {
        {"{\"embeddings\":[[0,0]]}", "is nothing but zeros"},
        {"{\"embeddings\":[[]]}", "has 0 numbers, where 1 to 8192"},
        {"{\"embeddings\":[[1e300]]}", "a number that is not finite"},
        {"{\"embeddings\":[[NaN]]}", "something that is not a number"},
        {"{\"embeddings\":[[1,\"2\"]]}", "something that is not a number"},
        {"{\"embeddings\":[[1],[2]]}", "does not have exactly one embedding"},
        {"{\"embedding\":[1]}", "does not have exactly one embedding"},
        {"<html>", "one embedding: <html>"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct model_done done =
            classify_embedding(&backend_ollama, 200, rows[i].body);

        cr_expect_eq(done.fault, FAULT_GARBAGE, "%s", rows[i].body);
        cr_expect_not_null(strstr(done.text, rows[i].words), "%s: %s",
                           rows[i].body, done.text);
        cr_expect_null(done.answer.text);
    }
}

Test(model_classify, endless_vector_is_refused_by_its_size)
{
    struct buf body = BUF_INIT(1 << 20);

    buf_puts(&body, "{\"embeddings\":[[1");
    for (int i = 0; i < 8192; i++)
        buf_puts(&body, ",1");
    buf_puts(&body, "]]}");
    struct model_done done =
        classify_embedding(&backend_ollama, 200, body.data);
    cr_expect_eq(done.fault, FAULT_GARBAGE);
    cr_expect_not_null(strstr(done.text, "has 8193 numbers"), "%s", done.text);
    buf_release(&body);
}

Test(model_classify, oversized_embedding_text_is_an_outcome_not_a_fault)
{
    struct model_done done = classify_embedding(
        &backend_ollama, 400,
        "{\"error\":\"the input length exceeds the context length\"}");

    cr_expect_eq(done.fault, FAULT_NONE, "%s", done.text);
    cr_expect_eq(done.answer.outcome, CALL_TOO_LONG);
    call_answer_release(&done.answer);
    done = classify_embedding(&backend_llama, 501,
                              "{\"error\":{\"message\":\"This server does not "
                              "support embeddings\"}}");
    cr_expect_eq(done.fault, FAULT_SERVER);
    cr_expect_not_null(strstr(done.text, "does not support embeddings"));
    done = classify_embedding(&backend_ollama, 200,
                              "{\"error\":\"out of memory\"}");
    cr_expect_eq(done.fault, FAULT_SERVER);
    done = classify_embedding(&backend_ollama, 404, "404 page not found");
    cr_expect_not_null(strstr(done.text, "/api/embed"), "%s", done.text);
}
