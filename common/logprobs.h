// logprobs: what else a model might have written, token by token.
//
// A server that is asked for it says of each token how likely it was, and which
// others were likely in its place. We keep what can tell one label from
// another: the tokens that were in doubt. It is JSON text, so that SQL can read
// it too, and short, since a model is sure of nearly all that it writes:
//
//   [[25, 6, 0.81, "cancel", 0.12, "esc", 0.06], ...]
//     |   |  |      '- what might have stood there instead, likeliest first
//     |   |  '- how likely the token was
//     |   '- its bytes
//     '- where it begins in the reply, in bytes
//
// A token that is not listed was certain (LOGPROBS_CERTAIN or more), and an
// alternative that is not listed had less than LOGPROBS_LEAST.

#ifndef COMMON_LOGPROBS_H
#define COMMON_LOGPROBS_H

#include <stddef.h>

#include <jansson.h>

// How many alternatives a server is asked for: the most that all of them give.
enum { LOGPROBS_TOP = 20, LOGPROBS_MAX_BYTES = 64 << 10 };
#define LOGPROBS_CERTAIN 0.999
#define LOGPROBS_LEAST 0.0005

// The probability that the reply has the label `right` where it has the one
// that begins at `at`: of all tokens that begin that label, and, while they
// also begin other labels, of those behind them on the way that the reply took.
// Where it took another way, labels that begin alike share alike. Case and
// dress (quotes, white space, emphasis before the label) make no difference.
// list: as above, parsed; labels: all n that may stand there.
double logprobs_right(const json_t *list, const char *text, size_t len,
                      size_t at, const char *right, const char *const *labels,
                      size_t n);

#endif
