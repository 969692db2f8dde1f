#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "http_script.h"
#include "model/model.h"

static struct err err;
static struct http_script *server;
static struct model_client *client;

#define CHAT "/api/chat"
#define ANSWER                                                                 \
    "{\"message\":{\"role\":\"assistant\",\"content\":\"refund\"},"            \
    "\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":12}"

static struct model_client *connect_to(const char *backend, int port)
{
    struct model_address address;
    char text[80];

    snprintf(text, sizeof text, "http://127.0.0.1:%d,slots=4", port);
    cr_assert(model_address_parse(backend, text, &address, &err), "%s",
              err.text);
    struct model_client *new_client = model_client_new(&address, &err);
    cr_assert_not_null(new_client, "%s", err.text);
    return new_client;
}

static void set_up(void)
{
    err = ERR_CLEAR;
    server = http_script_start(0);
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 0);
    client = connect_to("ollama", http_script_port(server));
}

static void tear_down(void)
{
    model_client_free(client);
    http_script_stop(server);
}

TestSuite(model, .init = set_up, .fini = tear_down, .timeout = 300);

static struct call_request make_request(void)
{
    static const char prefix[] = "[{\"role\":\"system\",\"content\":\"Be\"}";
    static const char tail[] = ",{\"role\":\"user\",\"content\":\"Hi\"}]";

    return (struct call_request){
        .model = "gemma3:270m",
        .prefix = prefix,
        .prefix_len = sizeof prefix - 1,
        .tail = tail,
        .tail_len = sizeof tail - 1,
        .options = {.num_ctx = 4096,
                    .num_predict = 50,
                    .temperature = 0.7,
                    .seed = 11},
    };
}

static void begin(int64_t id, int64_t timeout_ms)
{
    struct call_request request = make_request();

    cr_assert(model_begin(client, id, &request, timeout_ms, &err), "%s",
              err.text);
}

static struct model_done wait_done(void)
{
    int64_t deadline_ms = clock_monotonic_ms() + 60000;
    struct model_done done = {0};

    while (!model_take_done(client, &done)) {
        cr_assert_lt(clock_monotonic_ms(), deadline_ms, "nothing came");
        cr_assert(model_poll(client, -1, 100, &err), "%s", err.text);
    }
    return done;
}

static struct model_done ask_once(int64_t timeout_ms)
{
    begin(1, timeout_ms);
    return wait_done();
}

static json_t *last_request(const char *path)
{
    char body[4096];

    http_script_last_body(server, path, body, sizeof body);
    json_t *value = json_parse(body, strlen(body), sizeof body, &err);
    cr_assert_not_null(value, "%s in %s", err.text, body);
    return value;
}

static void expect_json(const json_t *object, const char *key,
                        const char *expected)
{
    char *text = json_text(json_object_get(object, key));

    cr_expect_str_eq(text, expected, "%s is %s", key, text);
    free(text);
}

Test(model, an_answer_comes_with_its_id)
{
    begin(42, 5000);
    struct model_done done = wait_done();

    cr_expect_eq(done.id, 42);
    cr_expect_eq(done.fault, FAULT_NONE, "%s", done.text);
    cr_expect_str_eq(done.answer.text, "refund");
    cr_expect_eq(done.answer.prompt_tokens, 12);
    cr_expect_gt(done.answer.total_us, 0);
    cr_expect_eq(model_open(client), 0);
    call_answer_release(&done.answer);
}

static void ask_behind_late_reply(int status)
{
    http_script_set(server, CHAT, SCRIPT_LATE, status,
                    "{\"message\":{\"content\":\"stale\"},\"done\":true,"
                    "\"done_reason\":\"stop\"}",
                    50);
    struct model_done done = ask_once(5000);
    cr_assert_neq(done.fault, FAULT_NONE, "%s", done.answer.text);
    call_answer_release(&done.answer);

    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 200);
    done = ask_once(5000);
    cr_expect_eq(done.fault, FAULT_NONE, "%s", done.text);
    cr_expect_str_eq(done.answer.text, "refund", "behind %d", status);
    call_answer_release(&done.answer);
}

Test(model, late_reply_is_not_taken_for_the_next_one)
{
    ask_behind_late_reply(200);
    ask_behind_late_reply(502);
}

Test(model, connection_is_reused_after_an_answer)
{
    for (int i = 0; i < 3; i++) {
        struct model_done done = ask_once(5000);
        cr_expect_eq(done.fault, FAULT_NONE, "%s", done.text);
        call_answer_release(&done.answer);
    }
    cr_expect_eq(http_script_connections(server), 1);
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, "{}", 0);
    struct model_done done = ask_once(5000);
    cr_expect_neq(done.fault, FAULT_NONE, "%s", done.answer.text);
    call_answer_release(&done.answer);
    for (int i = 0; i < 3; i++) {
        http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 0);
        done = ask_once(5000);
        cr_expect_eq(done.fault, FAULT_NONE, "%s", done.text);
        call_answer_release(&done.answer);
    }
    cr_expect_eq(http_script_connections(server), 2);
}

Test(model, reported_times_are_capped_by_the_elapsed_time)
{
    http_script_set(server, CHAT, SCRIPT_REPLY, 200,
                    "{\"message\":{\"content\":\"x\"},\"done\":true,"
                    "\"done_reason\":\"stop\",\"eval_count\":1,"
                    "\"load_duration\":600000000000000,"
                    "\"prompt_eval_duration\":600000000000000,"
                    "\"eval_duration\":600000000000000}",
                    0);
    struct model_done done = ask_once(5000);

    cr_assert_eq(done.fault, FAULT_NONE, "%s", done.text);
    cr_expect_leq(done.answer.load_us, done.answer.total_us);
    cr_expect_leq(done.answer.prompt_us, done.answer.total_us);
    cr_expect_leq(done.answer.generate_us, done.answer.total_us);
    call_answer_release(&done.answer);
}

Test(model, very_long_retry_after_is_shortened)
{
    http_script_set(server, CHAT, SCRIPT_NOISE, 0,
                    "HTTP/1.1 429 Slow Down\r\nRetry-After: 315360000\r\n"
                    "Content-Length: 0\r\n\r\n",
                    0);
    struct model_done done = ask_once(5000);

    cr_expect_eq(done.fault, FAULT_BUSY, "%s", done.text);
    cr_expect_eq(done.retry_ms, 10000);
}

Test(model, ollama_is_asked_with_every_option_fixed)
{
    struct model_done done = ask_once(5000);
    json_t *body = last_request(CHAT);

    expect_json(body, "model", "\"gemma3:270m\"");
    expect_json(body, "messages",
                "[{\"role\":\"system\",\"content\":\"Be\"},"
                "{\"role\":\"user\",\"content\":\"Hi\"}]");
    expect_json(body, "stream", "false");
    expect_json(body, "truncate", "false");
    expect_json(body, "shift", "false");
    expect_json(body, "keep_alive", "\"30m\"");
    cr_expect_null(json_object_get(body, "think"));
    cr_expect_null(json_object_get(body, "format"));
    const json_t *options = json_object_get(body, "options");
    cr_expect_eq(json_get_int(options, "num_ctx", 0), 4096);
    cr_expect_eq(json_get_int(options, "num_predict", 0), 50);
    cr_expect_float_eq(json_get_number(options, "temperature", 0), 0.7, 0);
    cr_expect_eq(json_get_int(options, "seed", 0), 11);
    json_decref(body);
    call_answer_release(&done.answer);
}

Test(model, ollama_gets_format_and_think_when_they_are_set)
{
    struct call_request request = make_request();

    request.format = "{\"type\":\"object\"}";
    request.options.think = THINK_OFF;
    cr_assert(model_begin(client, 1, &request, 5000, &err), "%s", err.text);
    struct model_done done = wait_done();
    json_t *body = last_request(CHAT);
    expect_json(body, "format", "{\"type\":\"object\"}");
    expect_json(body, "think", "false");
    json_decref(body);
    call_answer_release(&done.answer);
}

static json_t *ask_openai(const char *format)
{
    struct call_request request = make_request();
    struct model_done done;

    http_script_set(server, "/v1/chat/completions", SCRIPT_REPLY, 200,
                    "{\"choices\":[{\"message\":{\"content\":\"refund\"},"
                    "\"finish_reason\":\"stop\"}]}",
                    0);
    model_client_free(client);
    client = connect_to("openai", http_script_port(server));
    request.format = format;
    cr_assert(model_begin(client, 1, &request, 5000, &err), "%s", err.text);
    done = wait_done();
    cr_assert_eq(done.fault, FAULT_NONE, "%s", done.text);
    cr_expect_str_eq(done.answer.text, "refund");
    call_answer_release(&done.answer);
    return last_request("/v1/chat/completions");
}

Test(model, openai_requests_use_its_parameter_names)
{
    json_t *body = ask_openai("{\"type\":\"object\"}");

    expect_json(body, "max_tokens", "50");
    expect_json(body, "seed", "11");
    expect_json(body, "stream", "false");
    expect_json(body, "response_format",
                "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"reply\","
                "\"strict\":true,\"schema\":{\"type\":\"object\"}}}");
    cr_expect_null(json_object_get(body, "options"));
    json_decref(body);
}

Test(model, openai_is_asked_for_any_json_object)
{
    json_t *body = ask_openai("\"json\"");

    expect_json(body, "response_format", "{\"type\":\"json_object\"}");
    json_decref(body);
}

// The script answers both requests alike; the second had no format.
Test(model, server_that_rejects_schemas_is_asked_without_one)
{
    static const char *const refusals[] = {
        "{\"error\":{\"message\":\"This response_format type is "
        "unavailable\"}}",
        "{\"error\":{\"code\":400,\"message\":\"failed to parse grammar\"}}",
        "{\"error\":\"invalid JSON schema in format\"}",
    };

    log_set_level(LOG_SILENT);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct call_request request = make_request();

        request.format = "{\"type\":\"object\"}";
        http_script_set(server, CHAT, SCRIPT_REPLY, 400, refusals[i], 0);
        cr_assert(model_begin(client, 1, &request, 5000, &err), "%s", err.text);
        struct model_done done = wait_done();
        json_t *body = last_request(CHAT);
        cr_expect_eq(done.fault, FAULT_REQUEST);
        cr_expect_eq(done.id, 1);
        cr_expect_null(json_object_get(body, "format"));
        cr_expect_not_null(json_object_get(body, "options"));
        json_decref(body);
        call_answer_release(&done.answer);
    }
}

Test(model, log_probabilities_are_asked_for_where_they_are_wanted)
{
    struct call_request request = make_request();

    request.options.top_logprobs = 20;
    cr_assert(model_begin(client, 1, &request, 5000, &err), "%s", err.text);
    struct model_done done = wait_done();
    json_t *body = last_request(CHAT);
    cr_expect_eq(done.fault, FAULT_NONE);
    expect_json(body, "logprobs", "true");
    expect_json(body, "top_logprobs", "20");
    json_decref(body);
    call_answer_release(&done.answer);
}

// The format is still sent.
Test(model, a_server_that_gives_no_log_probabilities_is_asked_without_them)
{
    struct call_request request = make_request();

    log_set_level(LOG_SILENT);
    request.options.top_logprobs = 20;
    request.format = "{\"type\":\"object\"}";
    http_script_set(server, CHAT, SCRIPT_REPLY, 400,
                    "{\"error\":\"logprobs is not supported\"}", 0);
    cr_assert(model_begin(client, 1, &request, 5000, &err), "%s", err.text);
    struct model_done done = wait_done();
    json_t *body = last_request(CHAT);
    cr_expect_eq(http_script_requests(server, CHAT), 2);
    cr_expect_null(json_object_get(body, "logprobs"));
    cr_expect_null(json_object_get(body, "top_logprobs"));
    expect_json(body, "format", "{\"type\":\"object\"}");
    json_decref(body);
    call_answer_release(&done.answer);
}

Test(model, other_rejections_are_not_retried_without_the_schema)
{
    struct call_request request = make_request();

    request.format = "{\"type\":\"object\"}";
    http_script_set(server, CHAT, SCRIPT_REPLY, 400, "{\"error\":\"no\"}", 0);
    cr_assert(model_begin(client, 1, &request, 5000, &err), "%s", err.text);
    struct model_done done = wait_done();
    json_t *body = last_request(CHAT);
    cr_expect_eq(done.fault, FAULT_REQUEST);
    cr_expect_not_null(json_object_get(body, "format"));
    json_decref(body);
    call_answer_release(&done.answer);
}

Test(model, many_calls_share_kept_connections)
{
    for (int i = 0; i < 100; i++) {
        struct model_done done = ask_once(5000);
        cr_assert_eq(done.fault, FAULT_NONE, "%s", done.text);
        call_answer_release(&done.answer);
    }
    cr_expect_eq(http_script_connections(server), 1);
    cr_expect_eq(http_script_requests(server, CHAT), 100);
}

Test(model, calls_are_open_at_the_same_time)
{
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 200);
    for (int64_t id = 1; id <= 4; id++)
        begin(id, 5000);
    cr_expect_eq(model_open(client), 4);
    for (int i = 0; i < 4; i++) {
        struct model_done done = wait_done();
        cr_expect_eq(done.fault, FAULT_NONE, "%s", done.text);
        call_answer_release(&done.answer);
    }
    cr_expect_eq(http_script_most_open(server), 4);
}

static void expect_fault(enum call_fault fault, int64_t timeout_ms)
{
    struct model_done done = ask_once(timeout_ms);

    cr_expect_eq(done.fault, fault, "%s: %s", call_fault_name(done.fault),
                 done.text);
    call_answer_release(&done.answer);
}

Test(model, a_server_that_hangs_is_a_timeout)
{
    int64_t begun_ms = clock_monotonic_ms();

    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    expect_fault(FAULT_TIMEOUT, 200);
    cr_expect_geq(clock_monotonic_ms() - begun_ms, 190);
}

Test(model, a_server_that_hangs_on_a_kept_connection_is_a_timeout_too)
{
    expect_fault(FAULT_NONE, 60000);
    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    expect_fault(FAULT_TIMEOUT, 200);
}

static void expect_timeout_words(const char *words)
{
    struct model_done done = ask_once(200);

    cr_expect_eq(done.fault, FAULT_TIMEOUT, "%s", call_fault_name(done.fault));
    cr_expect_not_null(strstr(done.text, words), "%s", done.text);
    call_answer_release(&done.answer);
}

Test(model, slow_reply_is_distinguished_from_no_reply)
{
    http_script_set(server, CHAT, SCRIPT_STALL, 200, "{\"mess", 0);
    expect_timeout_words("too slowly to end in time: 6 bytes of it");
    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    expect_timeout_words("no answer in time: nothing received after 0.2 s");
}

Test(model, connection_closed_without_an_answer_counts_as_broken)
{
    http_script_set(server, CHAT, SCRIPT_CLOSE, 0, "", 0);
    expect_fault(FAULT_BROKEN, 5000);
}

// libcurl repeats a request when a kept-alive connection ends without a reply.
Test(model, call_is_not_resent_if_the_server_closes_while_working)
{
    expect_fault(FAULT_NONE, 60000);
    http_script_set(server, CHAT, SCRIPT_CLOSE, 0, "", 1300);
    expect_fault(FAULT_BROKEN, 10000);
    cr_expect_eq(http_script_requests(server, CHAT), 2);
}

Test(model, connection_closed_mid_answer_counts_as_broken)
{
    http_script_set(server, CHAT, SCRIPT_CUT, 200, ANSWER, 0);
    expect_fault(FAULT_BROKEN, 5000);
}

Test(model, reply_that_is_not_http_is_garbage)
{
    http_script_set(server, CHAT, SCRIPT_NOISE, 0, "SSH-2.0-OpenSSH\r\n", 0);
    expect_fault(FAULT_GARBAGE, 5000);
}

Test(model, unreachable_server_counts_as_refused)
{
    int port = http_script_port(server);

    http_script_stop(server);
    server = NULL;
    expect_fault(FAULT_REFUSED, 5000);
    server = http_script_start(port);
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, ANSWER, 0);
    expect_fault(FAULT_NONE, 60000);
}

Test(model, a_reply_over_the_cap_is_garbage)
{
    size_t len = (size_t)MODEL_MAX_REPLY + 1;
    char *body = malloc(len + 1);

    cr_assert_not_null(body);
    memset(body, 'x', len);
    body[len] = '\0';
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, body, 0);
    free(body);
    expect_fault(FAULT_GARBAGE, 10000);
}

static void wait_for(int (*read)(struct http_script *), int expected)
{
    int64_t deadline_ms = clock_monotonic_ms() + 60000;

    while (read(server) != expected) {
        cr_assert_lt(clock_monotonic_ms(), deadline_ms, "it stays at %d",
                     read(server));
        cr_assert(model_poll(client, -1, 10, &err), "%s", err.text);
    }
}

static int accepted(struct http_script *script)
{
    return http_script_requests(script, CHAT);
}

Test(model, server_that_dies_during_a_call_is_broken_not_refused)
{
    expect_fault(FAULT_NONE, 60000);
    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    begin(2, 60000);
    wait_for(accepted, 2);
    int64_t until_ms = clock_monotonic_ms() + 1300;
    while (clock_monotonic_ms() < until_ms)
        cr_assert(model_poll(client, -1, 50, &err), "%s", err.text);
    http_script_stop(server);
    server = NULL;
    struct model_done done = wait_done();
    cr_expect_eq(done.fault, FAULT_BROKEN, "%s", done.text);
}

Test(model, cancelled_call_closes_its_connection_without_a_result)
{
    struct model_done done = {0};

    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    begin(1, 60000);
    wait_for(http_script_open, 1);
    model_cancel(client, 1);
    wait_for(http_script_hangups, 1);
    cr_expect_eq(model_open(client), 0);
    cr_expect_not(model_take_done(client, &done));
    model_cancel(client, 77);
}

Test(model, call_cancelled_after_completion_gives_no_result)
{
    struct model_done done = {0};
    int64_t deadline_ms = clock_monotonic_ms() + 60000;

    begin(1, 60000);
    begin(2, 60000);
    while (model_open(client) > 0 && clock_monotonic_ms() < deadline_ms)
        cr_assert(model_poll(client, -1, 50, &err), "%s", err.text);
    model_cancel(client, 1);
    cr_assert(model_take_done(client, &done));
    cr_expect_eq(done.id, 2);
    call_answer_release(&done.answer);
    cr_expect_not(model_take_done(client, &done));
    begin(3, 60000);
    done = wait_done();
    cr_expect_eq(done.id, 3);
    call_answer_release(&done.answer);
}

Test(model, freeing_a_client_closes_open_calls)
{
    http_script_set(server, CHAT, SCRIPT_HANG, 0, "", 0);
    begin(1, 60000);
    wait_for(http_script_open, 1);
    model_client_free(client);
    client = connect_to("ollama", http_script_port(server));
    wait_for(http_script_hangups, 1);
}

Test(model, callers_descriptor_ends_the_wait)
{
    int ends[2];
    int64_t begun_ms = clock_monotonic_ms();

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    cr_assert(model_poll(client, ends[0], 100000, &err), "%s", err.text);
    cr_expect_lt(clock_monotonic_ms() - begun_ms, 90000);
    close(ends[0]);
    close(ends[1]);
}

Test(model, waking_ends_the_wait)
{
    int64_t begun_ms = clock_monotonic_ms();

    model_wake(client);
    cr_assert(model_poll(client, -1, 100000, &err), "%s", err.text);
    cr_expect_lt(clock_monotonic_ms() - begun_ms, 90000);
}

#define DIGEST                                                                 \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(model, an_ollama_is_probed_for_version_and_models)
{
    struct model_server found;

    http_script_set(server, "/api/version", SCRIPT_REPLY, 200,
                    "{\"version\":\"0.33.0\"}", 0);
    http_script_set(server, "/api/tags", SCRIPT_REPLY, 200,
                    "{\"models\":[{\"name\":\"gemma3:270m\",\"digest\":"
                    "\"" DIGEST "\",\"details\":{\"family\":\"gemma3\","
                    "\"quantization_level\":\"Q4_K_M\","
                    "\"context_length\":32768}},{\"name\":\"\"},"
                    "{\"name\":\"b\",\"digest\":\"short\"}]}",
                    0);
    cr_assert(model_probe(client, 5000, &found, &err), "%s", err.text);
    cr_expect_str_eq(found.version, "0.33.0");
    cr_expect_not(found.simulated);
    cr_assert_eq(found.n_models, 2);
    cr_expect_str_eq(found.models[0].name, "gemma3:270m");
    cr_expect_str_eq(found.models[0].digest, DIGEST);
    cr_expect_str_eq(found.models[0].quantization, "Q4_K_M");
    cr_expect_eq(found.models[0].context, 32768);
    cr_expect_str_eq(found.models[1].digest, "");
    model_server_release(&found);
}

Test(model, simulated_server_is_recognized)
{
    struct model_server found;

    http_script_set(server, "/api/version", SCRIPT_REPLY, 200,
                    "{\"version\":\"0.1.0-simulated\"}", 0);
    http_script_set(server, "/api/tags", SCRIPT_REPLY, 200, "{\"models\":[]}",
                    0);
    cr_assert(model_probe(client, 5000, &found, &err), "%s", err.text);
    cr_expect(found.simulated);
    model_server_release(&found);

    http_script_set(server, "/api/version", SCRIPT_REPLY, 200,
                    "{\"version\":\"9\"}", 0);
    http_script_set(server, "/api/tags", SCRIPT_REPLY, 200,
                    "{\"models\":[{\"name\":\"s\",\"details\":"
                    "{\"family\":\"simulated\"}}]}",
                    0);
    cr_assert(model_probe(client, 5000, &found, &err), "%s", err.text);
    cr_expect(found.simulated);
    model_server_release(&found);
}

Test(model, an_openai_server_is_probed_for_models)
{
    struct model_server found;

    http_script_set(server, "/v1/models", SCRIPT_REPLY, 200,
                    "{\"object\":\"list\",\"data\":[{\"id\":\"qwen\","
                    "\"owned_by\":\"vllm\",\"max_model_len\":8192}]}",
                    0);
    model_client_free(client);
    client = connect_to("openai", http_script_port(server));
    cr_assert(model_probe(client, 5000, &found, &err), "%s", err.text);
    cr_expect_str_eq(found.version, "vllm");
    cr_assert_eq(found.n_models, 1);
    cr_expect_str_eq(found.models[0].name, "qwen");
    cr_expect_str_eq(found.models[0].digest, "");
    cr_expect_eq(found.models[0].context, 8192);
    model_server_release(&found);
}

static void expect_no_server(enum err_code code)
{
    struct model_server found;

    err = ERR_CLEAR;
    cr_expect_not(model_probe(client, 300, &found, &err));
    cr_expect_eq(err.code, code, "%s", err.text);
    cr_expect_not_null(strstr(err.text, "http://127.0.0.1:"), "%s", err.text);
    cr_expect_null(found.models);
}

Test(model, other_program_at_the_address_is_not_a_model_server)
{
    http_script_set(server, "/api/version", SCRIPT_REPLY, 200, "<html>", 0);
    expect_no_server(ERR_PROTOCOL);
    http_script_set(server, "/api/version", SCRIPT_REPLY, 404, "", 0);
    expect_no_server(ERR_PROTOCOL);
    http_script_set(server, "/api/version", SCRIPT_REPLY, 200, "{}", 0);
    http_script_set(server, "/api/tags", SCRIPT_REPLY, 200, "{}", 0);
    expect_no_server(ERR_PROTOCOL);
}

Test(model, error_message_of_the_server_is_reported)
{
    http_script_set(server, "/api/version", SCRIPT_REPLY, 401,
                    "{\"error\":\"no key\"}", 0);
    expect_no_server(ERR_PROTOCOL);
    cr_expect_not_null(strstr(err.text, "refuses access (HTTP status 401): no "
                                        "key"),
                       "%s", err.text);
    http_script_set(server, "/api/version", SCRIPT_REPLY, 503,
                    "{\"error\":{\"message\":\"Loading model\"}}", 0);
    expect_no_server(ERR_FAULT);
    cr_expect_not_null(strstr(err.text, "503): Loading model"), "%s", err.text);
}

Test(model, unreachable_address_is_distinguished_from_another_program)
{
    http_script_set(server, "/api/version", SCRIPT_HANG, 0, "", 0);
    expect_no_server(ERR_IO);
    http_script_stop(server);
    server = NULL;
    expect_no_server(ERR_IO);
}

// ---- embeddings

static struct call_request embed_request(void)
{
    static const char tail[] = "\"Late \\\"parcel\\\"\"]";

    return (struct call_request){
        .kind = CALL_EMBED,
        .model = "all-minilm",
        .prefix = "[",
        .prefix_len = 1,
        .tail = tail,
        .tail_len = sizeof tail - 1,
        .options = {.num_ctx = 8192, .num_predict = 1}};
}

static void expect_embedding(const char *path, const char *reply,
                             const char *options)
{
    struct call_request request = embed_request();

    http_script_set(server, path, SCRIPT_REPLY, 200, reply, 0);
    cr_assert(model_begin(client, 7, &request, 5000, &err), "%s", err.text);
    struct model_done done = wait_done();
    cr_expect_eq(done.fault, FAULT_NONE, "%s", done.text);
    cr_expect_str_eq(done.answer.text, "AACAPwAAAMA=");
    call_answer_release(&done.answer);
    json_t *sent = last_request(path);
    expect_json(sent, "model", "\"all-minilm\"");
    expect_json(sent, "input", "[\"Late \\\"parcel\\\"\"]");
    cr_expect_null(json_object_get(sent, "messages"));
    if (options != NULL)
        expect_json(sent, "options", options);
    json_decref(sent);
}

Test(model, embeddings_have_a_separate_path)
{
    expect_embedding("/api/embed", "{\"embeddings\":[[1,-2]]}",
                     "{\"num_ctx\":8192}");
    model_client_free(client);
    client = connect_to("llama", http_script_port(server));
    expect_embedding("/v1/embeddings", "{\"data\":[{\"embedding\":[1,-2]}]}",
                     NULL);
}

Test(model, chat_after_an_embedding_is_unchanged)
{
    expect_embedding("/api/embed", "{\"embeddings\":[[1,-2]]}", NULL);
    struct model_done done = ask_once(5000);
    cr_expect_str_eq(done.answer.text, "refund");
    call_answer_release(&done.answer);
}
