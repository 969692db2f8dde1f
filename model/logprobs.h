// logprobs: from a server's list of tokens to what is kept of it.
//
// Ollama and the OpenAI-compatible servers write the same list, an entry a
// token: {"token", "logprob", "bytes", "top_logprobs": [...]}. It covers all
// that the model wrote, so the reply is looked up in it: thinking, and what the
// server trims, stands before and behind.

#ifndef MODEL_LOGPROBS_H
#define MODEL_LOGPROBS_H

#include <stddef.h>

#include <jansson.h>

// The list as common/logprobs.h says, for a reply of that text (owned). NULL
// when there is none, when it does not have the reply in it, or when more is in
// doubt than LOGPROBS_MAX_BYTES.
char *model_logprobs(const json_t *list, const char *text, size_t len);

#endif
