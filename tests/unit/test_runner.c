#include "predict/runner.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "given_program.h"
#include "http_script.h"

#define CHAT "/api/chat"
#define REPLY(text)                                                            \
    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"" text \
    "\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":12}"
#define SECTION(value)                                                         \
    "[[ ## topic ## ]]\\n" value "\\n\\n[[ ## completed ## ]]"
#define GOOD REPLY(SECTION("garden"))
#define BAD REPLY(SECTION("kitchen"))

enum { RESULTS_MAX = 16, TIMEOUT_MS = 10000 };

static const char yaml[] = "inputs:\n"
                           "  text:\n"
                           "  amount: {type: int, default: 1}\n"
                           "steps:\n"
                           "  sort:\n"
                           "    predict: Sort.\n"
                           "    inputs: [text]\n"
                           "    outputs: {topic: {enum: [garden, house]}}\n"
                           "outputs: {topic: sort.topic}\n";

// The inputs to come, and what became of them.
struct script {
    int n_inputs;
    int bad_input;  // its amount is not a number; -1: none
    int long_input; // longer than a prompt may be, once escaped; -1: none
    int given;
    int done;
    int stop_after; // stop after this many results; 0: never
    struct {
        size_t index;
        char topic[20];
        struct err err;
    } results[RESULTS_MAX];
};

static struct http_script *server;
static struct compiled compiled;
static struct runner runner;
static struct script script;
static struct err err;

static void open_runner(void)
{
    struct model_address address = {.backend = "ollama", .slots = 1};

    err = ERR_CLEAR;
    server = http_script_start(0);
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, GOOD, 0);
    (void)snprintf(address.url, sizeof address.url, "http://127.0.0.1:%d",
                   http_script_port(server));
    compiled = (struct compiled){
        .program = given_program(yaml),
        .model = "m",
        .settings = {.options = {.num_ctx = 4096, .num_predict = 100}}};
    compiled.candidate = candidate_new(compiled.program, &err);
    cr_assert(compiled.candidate != NULL, "%s", err.text);
    runner = (struct runner){
        .compiled = &compiled, .slots = 1, .timeout_ms = TIMEOUT_MS};
    runner.client = model_client_new(&address, &err);
    cr_assert(runner.client != NULL, "%s", err.text);
    script = (struct script){.n_inputs = 1, .bad_input = -1, .long_input = -1};
}

static void close_runner(void)
{
    model_client_free(runner.client);
    candidate_unref(compiled.candidate);
    program_free(compiled.program);
    http_script_stop(server);
}

TestSuite(runner, .init = open_runner, .fini = close_runner);

// Each of its bytes takes two in a request.
static json_t *make_long_input(void)
{
    static char quotes[3 << 20];

    memset(quotes, '"', sizeof quotes - 1);
    return json_pack("{s:s}", "text", quotes);
}

static bool next(void *user, json_t **values, struct err *why)
{
    struct script *from = user;

    (void)why;
    if (from->given == from->n_inputs)
        return false;
    *values = from->given == from->long_input ? make_long_input()
              : from->given == from->bad_input
                  ? given_json("{\"text\": \"a\", \"amount\": \"many\"}")
                  : given_json("{\"text\": \"a rose\"}");
    from->given++;
    return true;
}

static bool done(void *user, const struct runner_result *result,
                 struct err *why)
{
    struct script *to = user;
    int i = to->done++;
    const char *topic =
        json_string_value(json_object_get(result->outputs, "topic"));

    cr_assert_lt(i, RESULTS_MAX);
    to->results[i].index = result->index;
    to->results[i].err = result->err;
    (void)snprintf(to->results[i].topic, sizeof to->results[i].topic, "%s",
                   topic == NULL ? "" : topic);
    if (to->done != to->stop_after)
        return true;
    err_set(why, ERR_IO, "the disk is full");
    return false;
}

static bool run(void)
{
    struct runner_io io = {.user = &script, .next = next, .done = done};

    return runner_run(&runner, &io, &err);
}

Test(runner, results_come_in_the_order_of_the_inputs)
{
    script.n_inputs = 9;
    runner.slots = 3;
    cr_assert(run(), "%s", err.text);
    cr_assert_eq(script.done, 9);
    for (int i = 0; i < 9; i++) {
        cr_expect_eq(script.results[i].index, (size_t)i);
        cr_expect_str_eq(script.results[i].topic, "garden", "%s",
                         script.results[i].err.text);
    }
    cr_expect_eq(http_script_requests(server, CHAT), 9);
}

Test(runner, as_many_calls_are_open_as_there_are_slots)
{
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, GOOD, 60);
    script.n_inputs = 9;
    runner.slots = 3;
    cr_assert(run(), "%s", err.text);
    cr_expect_eq(http_script_most_open(server), 3);
}

Test(runner, unreadable_answer_is_retried_once_with_the_reason)
{
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, BAD, 0);
    cr_assert(run(), "%s", err.text);
    cr_expect_eq(http_script_requests(server, CHAT), 2);
    cr_expect_eq(script.results[0].err.code, ERR_PROTOCOL);
    cr_expect_not_null(strstr(script.results[0].err.text,
                              "step `sort` gave no readable answer, not even "
                              "when asked again: `topic` is \"kitchen\""),
                       "%s", script.results[0].err.text);
}

Test(runner, input_too_long_for_a_call_does_not_affect_the_others)
{
    script.n_inputs = 3;
    script.long_input = 1;
    cr_assert(run(), "%s", err.text);
    cr_assert_eq(script.done, 3);
    cr_expect_eq(script.results[1].err.code, ERR_LIMIT);
    cr_expect_str_eq(script.results[0].topic, "garden");
    cr_expect_str_eq(script.results[2].topic, "garden");
    cr_expect_eq(http_script_requests(server, CHAT), 2);
}

Test(runner, bad_input_does_not_affect_the_others)
{
    script.n_inputs = 3;
    script.bad_input = 1;
    cr_assert(run(), "%s", err.text);
    cr_assert_eq(script.done, 3);
    cr_expect_eq(script.results[1].err.code, ERR_INPUT);
    cr_expect_str_eq(script.results[0].topic, "garden");
    cr_expect_str_eq(script.results[2].topic, "garden");
    cr_expect_eq(http_script_requests(server, CHAT), 2);
}

// Repairs the server once it has failed.
static void *mend(void *user)
{
    (void)user;
    while (http_script_requests(server, CHAT) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    http_script_set(server, CHAT, SCRIPT_REPLY, 200, GOOD, 0);
    return NULL;
}

Test(runner, server_that_recovers_is_asked_again)
{
    pthread_t thread;

    http_script_set(server, CHAT, SCRIPT_REPLY, 500, "{\"error\":\"busy\"}",
                    50);
    cr_assert_eq(pthread_create(&thread, NULL, mend, NULL), 0);
    bool ok = run();
    pthread_join(thread, NULL);
    cr_assert(ok, "%s", err.text);
    cr_expect_eq(http_script_requests(server, CHAT), 2);
    cr_expect_str_eq(script.results[0].topic, "garden");
}

Test(runner, server_that_fails_four_times_ends_the_run)
{
    http_script_set(server, CHAT, SCRIPT_REPLY, 500, "{\"error\":\"busy\"}", 0);
    cr_expect_not(run());
    cr_expect_eq(err.code, ERR_FAULT, "%s", err.text);
    cr_expect_eq(http_script_requests(server, CHAT), 4);
    cr_expect_eq(script.done, 0);
}

Test(runner, missing_model_ends_the_run_at_once)
{
    http_script_set(server, CHAT, SCRIPT_REPLY, 404,
                    "{\"error\":\"model 'm' not found\"}", 0);
    cr_expect_not(run());
    cr_expect_eq(err.code, ERR_INPUT, "%s", err.text);
    cr_expect_eq(http_script_requests(server, CHAT), 1);
}

Test(runner, result_that_cannot_be_stored_ends_the_run)
{
    script.n_inputs = 5;
    script.stop_after = 2;
    cr_expect_not(run());
    cr_expect_str_eq(err.text, "the disk is full");
    cr_expect_eq(script.done, 2);
}
