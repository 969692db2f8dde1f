#include "coordinator/call_key.h"

#include <string.h>

static int64_t double_bits(double value)
{
    int64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void call_key_begin(struct call_key_prefix *prefix, const char *text,
                    size_t len)
{
    hasher_init(&prefix->hasher, "call");
    hasher_add_part(&prefix->hasher, text, len);
    prefix->len = len;
}

struct hash call_key(const struct call_key_prefix *prefix, const char *digest,
                     const struct call_request *request, int32_t replicate)
{
    const struct call_options *options = &request->options;
    struct hasher hasher = prefix->hasher;

    hasher_add_part(&hasher, request->tail, request->tail_len);
    hasher_add_int(&hasher, (int64_t)(prefix->len + request->tail_len));
    hasher_add_text(&hasher, digest);
    hasher_add_int(&hasher, options->num_ctx);
    hasher_add_int(&hasher, options->num_predict);
    hasher_add_int(&hasher, double_bits(options->temperature));
    hasher_add_int(&hasher, options->seed);
    hasher_add_int(&hasher, (int64_t)options->think);
    hasher_add_text(&hasher, request->format);
    hasher_add_int(&hasher, replicate);
    // Added only where log-probabilities are asked for, so that all other keys
    // stay the same.
    if (options->top_logprobs > 0)
        hasher_add_int(&hasher, options->top_logprobs);
    if (request->kind != CALL_CHAT) {
        hasher_add_text(&hasher, "kind");
        hasher_add_int(&hasher, (int64_t)request->kind);
    }
    return hasher_end(&hasher);
}

int64_t call_seed(double temperature, int64_t job_seed,
                  const struct sampling *sampling, const char *step)
{
    struct hasher hasher;
    struct hash hash;
    uint32_t seed;

    if (temperature <= 0)
        return sampling->replicate;
    hasher_init(&hasher, "seed");
    hasher_add_int(&hasher, job_seed);
    hasher_add_text(&hasher, sampling->purpose);
    hasher_add_text(&hasher, step);
    hasher_add_int(&hasher, sampling->trial);
    hasher_add_int(&hasher, sampling->draw);
    hasher_add_int(&hasher, sampling->replicate);
    hash = hasher_end(&hasher);
    memcpy(&seed, hash.bytes, sizeof seed);
    return (int64_t)(seed & 0x7fffffffu);
}

struct hash exec_key(const char *const *argv, const struct hash *files,
                     const char *request, size_t len)
{
    struct hasher hasher;

    hasher_init(&hasher, "exec");
    for (size_t i = 0; argv[i] != NULL; i++)
        hasher_add_text(&hasher, argv[i]);
    hasher_add_hash(&hasher, files);
    hasher_add(&hasher, request, len);
    return hasher_end(&hasher);
}
