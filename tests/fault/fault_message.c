// Wire frames and replies of model servers, when memory runs out.

#include <criterion/criterion.h>
#include <string.h>

#include "fault/alloc_fault.h"
#include "wire/message.h"

static struct wire_model models[] = {{"gemma3:270m", "ab12", 4096, "Q4_K_M"},
                                     {"llama3.2", "", 0, ""}};
static struct wire_file files[] = {{"job.yaml", "a: 1\n", 5},
                                   {"examples.jsonl", "{}\n", 3}};

// Encodes the message and reads it back.
static bool pass(const struct message *message, struct err *err)
{
    struct buf frame = BUF_INIT(WIRE_MAX_BYTES);
    struct arena arena = ARENA_INIT(1 << 20);
    struct message back;
    bool ok = message_encode(message, &frame, err) &&
              message_decode(frame.data, frame.len, &arena, &back, err);

    cr_expect(!ok || back.kind == message->kind);
    arena_release(&arena);
    buf_release(&frame);
    return ok;
}

static bool pass_hello(struct err *err)
{
    struct message hello = {.kind = MESSAGE_HELLO,
                            .as.hello = {.version = WIRE_VERSION,
                                         .role = PEER_WORKER,
                                         .name = "w1",
                                         .epoch = 7,
                                         .slots = 2,
                                         .software = "promptcc",
                                         .backend = "ollama",
                                         .server = "0.33",
                                         .models = models,
                                         .n_models = 2}};

    return pass(&hello, err);
}

static bool pass_call(struct err *err)
{
    static const char prefix[] = "[{\"role\":\"system\",\"content\":\"s\"}";
    static const char tail[] = ",{\"role\":\"user\",\"content\":\"q\"}]";
    struct message call = {
        .kind = MESSAGE_CALL,
        .as.call = {
            .id = 1,
            .timeout_ms = 1000,
            .digest = "ab12",
            .request = {.model = "m",
                        .prefix = prefix,
                        .prefix_len = sizeof prefix - 1,
                        .tail = tail,
                        .tail_len = sizeof tail - 1,
                        .format = "\"json\"",
                        .options = {.num_ctx = 4096, .num_predict = 100}}}};

    return pass(&call, err);
}

static bool pass_answer(struct err *err)
{
    char text[] = "[[ ## intent ## ]]\nrefund\n\n[[ ## completed ## ]]";
    struct message answer = {
        .kind = MESSAGE_ANSWER,
        .as.answer = {.id = 1,
                      .answer = {.outcome = CALL_TEXT,
                                 .text = text,
                                 .text_len = sizeof text - 1,
                                 .cached_tokens = -1}}};

    return pass(&answer, err);
}

static bool pass_submit(struct err *err)
{
    struct message submit = {.kind = MESSAGE_SUBMIT,
                             .as.submit = {.action = "run",
                                           .options = "{}",
                                           .folder = "",
                                           .files = files,
                                           .n_files = 2}};

    return pass(&submit, err);
}

Test(message, greeting_reports_out_of_memory)
{
    cr_expect_geq(fault_each(pass_hello), 2);
}

Test(message, call_reports_out_of_memory)
{
    cr_expect_geq(fault_each(pass_call), 2);
}

Test(message, answer_reports_out_of_memory)
{
    cr_expect_geq(fault_each(pass_answer), 2);
}

Test(message, job_reports_out_of_memory)
{
    cr_expect_geq(fault_each(pass_submit), 2);
}
