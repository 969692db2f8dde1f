// logprobs: what the model might have written instead, token by token.
//
// On request, a server reports how likely each token was, and which others were
// likely in its place. We keep what can tell one label from another: the tokens
// that were in doubt. The list is JSON text, so that SQL can read it too, and
// it is short, since a model is sure of nearly everything it writes:
//
//   [[25, 6, 0.81, "cancel", 0.12, "esc", 0.06], ...]
//     |   |  |      '- what might have been written instead, likeliest first
//     |   |  '- the token's probability
//     |   '- its length in bytes
//     '- where it begins in the reply, in bytes
//
// A token that is not listed was certain (probability LOGPROBS_CERTAIN or
// more), and an alternative that is not listed had less than LOGPROBS_LEAST.

#ifndef COMMON_LOGPROBS_H
#define COMMON_LOGPROBS_H

#include <stddef.h>

#include <jansson.h>

// How many alternatives we request: the most that every server gives.
enum { LOGPROBS_TOP = 20, LOGPROBS_MAX_BYTES = 64 << 10 };
#define LOGPROBS_CERTAIN 0.999
#define LOGPROBS_LEAST 0.0005

// Returns the probability that the reply had the label `right` in place of the
// label that begins at `at`. It adds up the tokens that begin that label. While
// those also begin other labels, it follows the reply's own path and adds up
// the next tokens as well; off that path, labels with the same beginning share
// the probability equally. Case and decoration (quotes, white space, emphasis
// before the label) make no difference. `list` is the parsed list from above;
// `labels` are all n labels that are possible here.
double logprobs_right(const json_t *list, const char *text, size_t len,
                      size_t at, const char *right, const char *const *labels,
                      size_t n);

#endif
