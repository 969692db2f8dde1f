// Whatever a model server replies, the outcome is an answer with valid text of
// limited length, or a fault described in words. The same reply always gives
// the same outcome.
//
//   byte 0    which server: Ollama, an OpenAI-compatible one, llama-server;
//             bit 2: log-probabilities were asked for; bit 3: the text is long
//   byte 1    the status: 200, 400, 404, 422, 429, 500, 501, 503

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/logprobs.h"
#include "common/text.h"
#include "model/classify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct model_done *done)
{
    const struct call_answer *answer = &done->answer;

    if (done->fault != FAULT_NONE) {
        if (done->text[0] == '\0' ||
            !text_is_utf8(done->text, strlen(done->text)))
            abort();
        return;
    }
    if (answer->text == NULL || !text_is_utf8(answer->text, answer->text_len) ||
        memchr(answer->text, 0, answer->text_len) != NULL ||
        answer->prompt_tokens < 0 || answer->cached_tokens < -1 ||
        answer->generated_tokens < 0 || answer->prompt_us < 0 ||
        answer->generate_us < 0 || answer->load_us < 0)
        abort();
    if (answer->logprobs != NULL &&
        strlen(answer->logprobs) > LOGPROBS_MAX_BYTES)
        abort();
}

static void expect_same(const struct model_done *a, const struct model_done *b)
{
    if (a->fault != b->fault || a->answer.outcome != b->answer.outcome ||
        a->answer.text_len != b->answer.text_len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct model_backend *const backends[] = {
        &backend_ollama, &backend_openai, &backend_llama};
    static const long statuses[] = {200, 400, 404, 422, 429, 500, 501, 503};
    static const char messages[] = "[{\"role\":\"user\",\"content\":\"Hi\"}]";

    if (size < 2)
        return 0;
    char *body = malloc(size - 1);
    if (body == NULL)
        return 0;
    memcpy(body, data + 2, size - 2);
    body[size - 2] = '\0';
    struct model_asked asked = {
        .model = "m",
        .messages = messages,
        .messages_len = sizeof messages - 1,
        .num_ctx = (data[0] & 8) != 0 ? 16 : 4096,
        .num_predict = 100,
        .logprobs = (data[0] & 4) != 0,
    };
    struct model_reply reply = {.exchange = EXCHANGE_DONE,
                                .status = statuses[data[1] % 8],
                                .body = body,
                                .len = size - 2,
                                .detail = "",
                                .location = ""};
    struct model_done first = {0}, second = {0};

    model_classify(backends[(data[0] & 3) % 3], &asked, &reply, &first);
    check(&first);
    model_classify(backends[(data[0] & 3) % 3], &asked, &reply, &second);
    expect_same(&first, &second);
    (void)model_refuses_format(&reply);
    (void)model_refuses_logprobs(&reply);
    call_answer_release(&first.answer);
    call_answer_release(&second.answer);
    free(body);
    return 0;
}
