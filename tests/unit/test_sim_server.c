// The stand-in server over real HTTP on loopback.

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "simulated/sim_faults.h"
#include "simulated/sim_server.h"

static struct sim_server *server;
static struct err err;
static struct buf reply;
static long status;

static void start_with(struct sim_options options)
{
    sim_server_stop(server);
    server = sim_server_start(&options, &err);
    cr_assert_not_null(server, "%s", err.text);
}

static void start_server(void)
{
    err = ERR_CLEAR;
    reply = BUF_INIT(1 << 20);
    start_with((struct sim_options){.slots = 2});
}

static void stop_server(void)
{
    sim_server_stop(server);
    buf_release(&reply);
}

TestSuite(sim_server, .init = start_server, .fini = stop_server);

static size_t take(char *data, size_t size, size_t n, void *to)
{
    buf_append(to, data, size * n);
    return size * n;
}

// Sends a request; body NULL makes it a GET. Sets reply and status; returns
// curl's result.
static CURLcode request(const char *path, const char *body, long timeout_ms)
{
    char url[200];
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", sim_server_port(server),
             path);
    buf_clear(&reply);
    status = 0;
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
    if (body != NULL)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    return code;
}

static json_t *parsed(void)
{
    json_t *value = json_loadb(reply.data, reply.len, 0, NULL);
    cr_assert_not_null(value, "status %ld: %.*s", status, (int)reply.len,
                       reply.data == NULL ? "" : reply.data);
    return value;
}

static json_t *ask(const char *path, const char *body)
{
    CURLcode code = request(path, body, 20000);
    cr_assert_eq(code, CURLE_OK, "%s", curl_easy_strerror(code));
    return parsed();
}

static void expect_error(const char *body, long wanted, const char *text)
{
    json_t *value = ask("/api/chat", body);
    cr_expect_eq(status, wanted, "status %ld for %s", status, body);
    const char *said = json_get_text(value, "error", "");
    cr_expect_not_null(strstr(said, text), "%s", said);
    json_decref(value);
}

static const char *content_of(const json_t *value)
{
    return json_get_text(json_object_get(value, "message"), "content", "");
}

static const char HELLO[] =
    "{\"model\":\"m:14b\",\"stream\":false,\"messages\":[{\"role\":\"user\","
    "\"content\":\"Is the harbour open on a Sunday?\"}]}";

// ---- who it is

Test(sim_server, every_reply_that_can_is_marked_simulated)
{
    static const char *const PATHS[] = {"/api/version", "/api/tags",
                                        "/v1/models", "/"};
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        request(PATHS[i], NULL, 5000);
        cr_expect_eq(status, 200);
        cr_expect_not_null(strstr(reply.data, "simulated"), "%s", reply.data);
    }
}

Test(sim_server, a_model_has_a_digest_of_64_digits_that_its_name_determines)
{
    json_t *tags = ask("/api/tags", NULL);
    json_t *models = json_object_get(tags, "models");
    cr_assert_gt(json_array_size(models), 1);
    const char *one = json_get_text(json_array_get(models, 0), "digest", "");
    const char *other = json_get_text(json_array_get(models, 1), "digest", "");
    cr_expect_eq(strspn(one, "0123456789abcdef"), 64);
    cr_expect_eq(strlen(one), 64);
    cr_expect_str_neq(one, other);
    json_decref(tags);
}

Test(sim_server, loaded_models_are_listed_with_their_context)
{
    json_decref(ask("/api/chat", "{\"model\":\"a:1b\",\"options\":{\"num_ctx\":"
                                 "777}}"));
    json_t *ps = ask("/api/ps", NULL);
    const json_t *first = json_array_get(json_object_get(ps, "models"), 0);
    cr_expect_str_eq(json_get_text(first, "name", ""), "a:1b");
    cr_expect_eq(json_get_int(first, "context_length", 0), 777);
    json_decref(ps);
}

Test(sim_server, an_unknown_path_is_404_and_a_wrong_method_405)
{
    request("/api/nothing", NULL, 5000);
    cr_expect_eq(status, 404);
    request("/api/chat", NULL, 5000);
    cr_expect_eq(status, 405);
}

Test(sim_server, a_port_in_use_is_bad_input)
{
    struct sim_options options = {.port = sim_server_port(server)};
    cr_expect_null(sim_server_start(&options, &err));
    cr_expect_eq(err.code, ERR_INPUT);
}

// ---- chats

Test(sim_server, an_answer_holds_counts_and_durations)
{
    json_t *value = ask("/api/chat", HELLO);
    cr_expect_eq(status, 200);
    cr_expect_str_neq(content_of(value), "");
    cr_expect_str_eq(json_get_text(value, "done_reason", ""), "stop");
    cr_expect_gt(json_get_int(value, "prompt_eval_count", 0), 5);
    cr_expect_gt(json_get_int(value, "prompt_eval_duration", 0), 0);
    cr_expect_gt(json_get_int(value, "eval_count", 0), 0);
    cr_expect_gt(json_get_int(value, "eval_duration", 0), 0);
    json_decref(value);
}

Test(sim_server, a_stream_holds_the_same_text_line_by_line)
{
    json_t *whole = ask("/api/chat", HELLO);
    request("/api/chat",
            "{\"model\":\"m:14b\",\"messages\":[{\"role\":\"user\","
            "\"content\":\"Is the harbour open on a Sunday?\"}]}",
            5000);
    struct buf text = BUF_INIT(1 << 16);
    bool done = false;
    char *state = NULL;
    for (char *line = strtok_r(reply.data, "\n", &state); line != NULL;
         line = strtok_r(NULL, "\n", &state)) {
        json_t *piece = json_loads(line, 0, NULL);
        cr_assert_not_null(piece, "%s", line);
        buf_puts(&text, content_of(piece));
        done = json_get_bool(piece, "done", false);
        json_decref(piece);
    }
    cr_expect(done);
    cr_expect_str_eq(text.data, content_of(whole));
    buf_release(&text);
    json_decref(whole);
}

Test(sim_server, the_openai_form_holds_the_same_text)
{
    json_t *native = ask("/api/chat", HELLO);
    json_t *openai = ask("/v1/chat/completions", HELLO);
    const json_t *choice =
        json_array_get(json_object_get(openai, "choices"), 0);
    cr_expect_str_eq(content_of(choice), content_of(native));
    cr_expect_gt(
        json_get_int(json_object_get(openai, "usage"), "prompt_tokens", 0), 5);
    json_decref(native);
    json_decref(openai);
}

Test(sim_server, num_predict_cuts_the_answer)
{
    json_t *value =
        ask("/api/chat",
            "{\"model\":\"m:14b\",\"stream\":false,\"options\":{\"num_predict\""
            ":2},\"messages\":[{\"role\":\"user\",\"content\":\"Is the harbour "
            "open?\"}]}");
    cr_expect_str_eq(json_get_text(value, "done_reason", ""), "length");
    cr_expect_eq(json_get_int(value, "eval_count", 0), 2);
    json_decref(value);
}

Test(sim_server, a_model_that_thinks_says_so_unless_told_not_to)
{
    json_t *value =
        ask("/api/chat", "{\"model\":\"qwen3:8b\",\"stream\":false,\"messages\""
                         ":[{\"role\":\"user\",\"content\":\"Hello?\"}]}");
    cr_expect_not_null(
        json_object_get(json_object_get(value, "message"), "thinking"));
    json_decref(value);
    value = ask("/api/chat",
                "{\"model\":\"qwen3:8b\",\"stream\":false,\"think\":false,"
                "\"messages\":[{\"role\":\"user\",\"content\":\"Hello?\"}]}");
    cr_expect_null(
        json_object_get(json_object_get(value, "message"), "thinking"));
    json_decref(value);
    expect_error("{\"model\":\"m:14b\",\"think\":true,\"messages\":[{\"role\":"
                 "\"user\",\"content\":\"Hello?\"}]}",
                 400, "does not support thinking");
}

Test(sim_server, a_request_without_messages_only_loads)
{
    json_t *value = ask("/api/chat", "{\"model\":\"m:14b\"}");
    cr_expect_eq(status, 200);
    cr_expect_str_eq(json_get_text(value, "done_reason", ""), "load");
    json_decref(value);
}

// ---- embeddings

static const json_t *numbers_of(const json_t *value, size_t i)
{
    return json_array_get(json_object_get(value, "embeddings"), i);
}

static double near(const json_t *a, const json_t *b)
{
    double sum = 0;
    for (size_t i = 0; i < json_array_size(a); i++)
        sum += json_number_value(json_array_get(a, i)) *
               json_number_value(json_array_get(b, i));
    return sum;
}

Test(sim_server, texts_that_share_stems_are_near_each_other)
{
    json_t *value =
        ask("/api/embed", "{\"model\":\"all-minilm\",\"input\":[\"My delivery "
                          "is late\",\"late deliveries\",\"Reset the "
                          "password\",\"\"]}");
    cr_assert_eq(status, 200);
    cr_assert_eq(json_array_size(numbers_of(value, 3)), 256);
    cr_expect_float_eq(near(numbers_of(value, 0), numbers_of(value, 0)), 1,
                       1e-6);
    cr_expect_gt(near(numbers_of(value, 0), numbers_of(value, 1)), 0.4);
    cr_expect_lt(near(numbers_of(value, 0), numbers_of(value, 2)), 0.3);
    cr_expect_float_eq(near(numbers_of(value, 3), numbers_of(value, 3)), 1,
                       1e-6);
    cr_expect_gt(json_get_int(value, "prompt_eval_count", 0), 8);
    json_decref(value);
}

Test(sim_server, the_openai_form_holds_the_same_embedding)
{
    json_t *native =
        ask("/api/embed", "{\"model\":\"all-minilm\",\"input\":\"A harbour\"}");
    json_t *openai =
        ask("/v1/embeddings",
            "{\"model\":\"all-minilm\",\"input\":[\"A harbour\"]}");
    const json_t *one = json_array_get(json_object_get(openai, "data"), 0);
    cr_expect(
        json_equal(json_object_get(one, "embedding"), numbers_of(native, 0)));
    json_decref(native);
    json_decref(openai);
}

static void expect_refused(const char *path, const char *body, long code,
                           const char *words)
{
    json_t *value = ask(path, body);
    cr_expect_eq(status, code, "%s", body);
    cr_expect_not_null(strstr(json_get_text(value, "error", ""), words),
                       "%s: %s", body, json_get_text(value, "error", ""));
    json_decref(value);
}

Test(sim_server, embedding_models_do_not_chat_and_chat_models_do_not_embed)
{
    expect_refused("/api/embed", "{\"model\":\"m:14b\",\"input\":\"Hi\"}", 400,
                   "does not support embeddings");
    expect_refused("/api/chat",
                   "{\"model\":\"all-minilm\",\"messages\":[{\"role\":"
                   "\"user\",\"content\":\"Hi\"}]}",
                   400, "does not support chat");
}

Test(sim_server, overlong_text_is_truncated_only_if_allowed)
{
#define LONG_TEXT                                                              \
    "\"one two three four five six seven eight nine ten eleven twelve\""
    static const char may[] = "{\"model\":\"all-minilm\",\"input\":" LONG_TEXT
                              ",\"options\":{\"num_ctx\":8}}";
    static const char not [] = "{\"model\":\"all-minilm\",\"input\":" LONG_TEXT
                               ",\"options\":{\"num_ctx\":8},\"truncate\":"
                               "false}";
    json_t *value = ask("/api/embed", may);
    cr_expect_eq(status, 200);
    cr_expect_eq(json_get_int(value, "prompt_eval_count", 0), 8);
    json_decref(value);
    expect_refused("/api/embed", not, 400, "exceed_context_size_error");
    expect_refused("/api/embed", "{\"model\":\"all-minilm\",\"input\":[7]}",
                   400, "invalid input type");
}

// ---- errors

Test(sim_server, request_errors_use_ollamas_messages)
{
    expect_error("{\"model\":\"missing-one\",\"messages\":[]}", 404,
                 "model 'missing-one' not found");
    expect_error("", 400, "missing request body");
    expect_error("{\"model\":", 400, "invalid JSON");
    expect_error("{\"messages\":[]}", 400, "model is required");
    expect_error("{\"model\":\"m\",\"options\":{\"temperature\":\"hot\"}}", 500,
                 "option \"temperature\" must be of type float32");
    expect_error("{\"model\":\"m\",\"format\":{\"enum\":[]}}", 400, "schema");
    expect_error("{\"model\":\"m\",\"format\":7}", 500, "format");
    expect_error("{\"model\":\"m\",\"format\":\"yaml\"}", 400, "format");
}

Test(sim_server, only_named_models_are_known_when_told_so)
{
    const char *models[] = {"mine:1b"};
    start_with((struct sim_options){
        .models = models, .n_models = 1, .only_models = true});
    expect_error(HELLO, 404, "model 'm:14b' not found");
    json_decref(ask("/api/chat", "{\"model\":\"mine:1b\"}"));
    cr_expect_eq(status, 200);
}

// ---- the context

// Writes a long conversation with a small num_ctx; `more` adds members.
static void write_long(char *out, size_t size, const char *more)
{
    char turn[500];
    memset(turn, 'x', sizeof turn - 1);
    turn[sizeof turn - 1] = '\0';
    snprintf(out, size,
             "{\"model\":\"m:14b\",\"stream\":false,\"options\":{\"num_ctx\":"
             "200}%s,\"messages\":[{\"role\":\"system\",\"content\":\"Be "
             "kind.\"},{\"role\":\"user\",\"content\":\"%s\"},{\"role\":"
             "\"assistant\",\"content\":\"%s\"},{\"role\":\"user\",\"content\":"
             "\"Is the harbour open?\"}]}",
             more, turn, turn);
}

Test(sim_server, oversized_prompt_silently_loses_its_middle)
{
    char body[4000];
    write_long(body, sizeof body, "");
    json_t *value = ask("/api/chat", body);
    cr_expect_eq(status, 200);
    cr_expect_lt(json_get_int(value, "prompt_eval_count", 0), 200);
    cr_expect_not_null(strstr(content_of(value), "harbour"), "%s",
                       content_of(value));
    json_decref(value);
}

Test(sim_server, prompt_that_must_not_be_cut_is_refused_with_its_size)
{
    char body[4000];
    write_long(body, sizeof body, ",\"truncate\":false");
    expect_error(body, 400, "\"type\":\"exceed_context_size_error\"");
    expect_error(body, 400, "\"n_prompt_tokens\":27");
    expect_error(body, 400, "\"n_ctx\":200");
}

Test(sim_server, without_shift_the_answer_ends_with_the_window)
{
    json_t *value =
        ask("/api/chat",
            "{\"model\":\"m:14b\",\"stream\":false,\"shift\":false,\"options\":"
            "{\"num_ctx\":14},\"messages\":[{\"role\":\"user\",\"content\":"
            "\"Is the harbour open at noon?\"}]}");
    cr_expect_str_eq(json_get_text(value, "done_reason", ""), "length");
    json_decref(value);
}

// ---- slots

static int64_t prompt_duration(const char *topic, const char *question)
{
    char body[2000];
    char system[1000];
    memset(system, 's', sizeof system - 1);
    system[sizeof system - 1] = '\0';
    snprintf(body, sizeof body,
             "{\"model\":\"m:14b\",\"stream\":false,\"messages\":[{\"role\":"
             "\"system\",\"content\":\"%s %s\"},{\"role\":\"user\",\"content\":"
             "\"%s\"}]}",
             topic, system, question);
    json_t *value = ask("/api/chat", body);
    int64_t duration = json_get_int(value, "prompt_eval_duration", 0);
    cr_expect_gt(json_get_int(value, "prompt_eval_count", 0), 250);
    json_decref(value);
    return duration;
}

Test(sim_server, slot_reads_a_cached_prefix_faster)
{
    start_with((struct sim_options){.slots = 1});
    int64_t first = prompt_duration("a", "one");
    int64_t again = prompt_duration("a", "two");
    int64_t other = prompt_duration("b", "three");
    cr_expect_lt(again * 10, first);
    cr_expect_gt(other, again * 10);
}

Test(sim_server, two_slots_keep_two_prefixes)
{
    prompt_duration("a", "one");
    int64_t first = prompt_duration("b", "one");
    int64_t a = prompt_duration("a", "two");
    int64_t b = prompt_duration("b", "two");
    cr_expect_lt(a * 10, first);
    cr_expect_lt(b * 10, first);
}

Test(sim_server, changing_num_ctx_reloads_the_model_and_takes_time)
{
    start_with((struct sim_options){.swap_ms = 60});
    int64_t start = clock_monotonic_ms();
    json_decref(ask("/api/chat", "{\"model\":\"m:1b\"}"));
    cr_expect_geq(clock_monotonic_ms() - start, 60);
    json_decref(
        ask("/api/chat", "{\"model\":\"m:1b\",\"options\":{\"num_ctx\":512}}"));
    struct sim_stats stats;
    sim_server_stats(server, &stats);
    cr_expect_eq(stats.loads, 2);
    cr_expect_geq(clock_monotonic_ms() - start, 120);
}

Test(sim_server, token_rate_delays_the_reply)
{
    start_with((struct sim_options){.generate_tokens_per_s = 50});
    int64_t start = clock_monotonic_ms();
    json_t *value = ask("/api/chat", HELLO);
    int64_t took = clock_monotonic_ms() - start;
    int64_t tokens = json_get_int(value, "eval_count", 0);
    cr_expect_geq(took, tokens * 20 - 1);
    cr_expect_eq(json_get_int(value, "eval_duration", 0) / 1000000,
                 tokens * 20);
    json_decref(value);
}

// ---- faults and counts

static void start_faulty(const char *kind)
{
    start_with((struct sim_options){.fault_rate = 1, .fault_kinds = kind});
}

Test(sim_server, each_fault_looks_like_that_of_a_real_server)
{
    start_faulty("500");
    expect_error(HELLO, 500, "unexpected EOF");
    start_faulty("503");
    expect_error(HELLO, 503, "server busy, please try again.");
    start_faulty("garbage");
    request("/api/chat", HELLO, 5000);
    cr_expect_eq(status, 200);
    cr_expect_eq(reply.data[0], '<');
    start_faulty("cut");
    cr_expect_eq(request("/api/chat", HELLO, 5000), CURLE_GOT_NOTHING);
    start_faulty("half");
    cr_expect_eq(request("/api/chat", HELLO, 5000), CURLE_PARTIAL_FILE);
    start_faulty("hang");
    cr_expect_eq(request("/api/chat", HELLO, 200), CURLE_OPERATION_TIMEDOUT);
}

Test(sim_server, faults_of_the_model_come_as_answers)
{
    start_faulty("empty");
    json_t *value = ask("/api/chat", HELLO);
    cr_expect_str_eq(content_of(value), "");
    json_decref(value);
    start_faulty("whitespace");
    value = ask("/api/chat", HELLO);
    cr_expect_gt(strlen(content_of(value)), 100);
    cr_expect_eq(strspn(content_of(value), " \n"), strlen(content_of(value)));
    cr_expect_str_eq(json_get_text(value, "done_reason", ""), "length");
    json_decref(value);
}

Test(sim_server, an_unknown_fault_is_bad_input)
{
    struct sim_options options = {.fault_rate = 0.5, .fault_kinds = "500,fire"};
    cr_expect_null(sim_server_start(&options, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "\"fire\""), "%s", err.text);
}

Test(sim_server, faults_depend_on_body_and_attempt_and_finally_stop)
{
    struct sim_faults faults;
    cr_assert(sim_faults_read(&faults, 0.2, "500,cut", 7, &err), "%s",
              err.text);
    size_t drawn = 0;
    for (int i = 0; i < 1000; i++) {
        struct hash body = hash_of("test", &i, sizeof i);
        enum sim_fault first = sim_faults_draw(&faults, &body, 0);
        cr_assert_eq(first, sim_faults_draw(&faults, &body, 0));
        drawn += first != SIM_FAULT_NONE;
        uint64_t attempt = 0;
        while (sim_faults_draw(&faults, &body, attempt) != SIM_FAULT_NONE)
            attempt++;
        cr_assert_lt(attempt, 12);
    }
    cr_expect_gt(drawn, 150, "%zu", drawn);
    cr_expect_lt(drawn, 250, "%zu", drawn);
}

Test(sim_server, repeated_request_body_is_counted)
{
    json_decref(ask("/api/chat", HELLO));
    json_decref(ask("/api/chat", HELLO));
    json_decref(ask("/api/chat", "{\"model\":\"m:14b\",\"stream\":false,"
                                 "\"messages\":[{\"role\":\"user\",\"content\":"
                                 "\"Another\"}]}"));
    json_t *stats = ask("/sim/stats", NULL);
    cr_expect_eq(json_get_int(stats, "answered", 0), 3);
    cr_expect_eq(json_get_int(stats, "answered_distinct", 0), 2);
    cr_expect_eq(json_get_int(stats, "answered_repeated", 0), 1);
    json_decref(stats);
}

Test(sim_server, a_stop_does_not_wait_for_hanging_requests)
{
    start_with((struct sim_options){.latency_ms = 60000});
    request("/api/chat", HELLO, 100);
    int64_t start = clock_monotonic_ms();
    sim_server_stop(server);
    server = NULL;
    cr_expect_lt(clock_monotonic_ms() - start, 50000);
}
