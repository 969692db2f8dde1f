// logprobs: reduces a server's list of tokens to what is kept of it.
//
// Ollama and the OpenAI-compatible servers write the same list, with one entry
// for each token: {"token", "logprob", "bytes", "top_logprobs": [...]}. It
// covers everything that the model wrote, so the reply has to be located in it:
// thinking comes before it, and what the server trims comes before or after it.

#ifndef MODEL_LOGPROBS_H
#define MODEL_LOGPROBS_H

#include <stddef.h>

#include <jansson.h>

// Returns the list in the form of common/logprobs.h for a reply of that text
// (owned). Returns NULL if there is no list, if it does not contain the reply
// or lacks the probability of one of its tokens, or if the result would be over
// LOGPROBS_MAX_BYTES.
char *model_logprobs(const json_t *list, const char *text, size_t len);

#endif
