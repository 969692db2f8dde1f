// model_name: model names, with and without a tag.

#ifndef COMMON_MODEL_NAME_H
#define COMMON_MODEL_NAME_H

#include <stdbool.h>

// Returns true if both names mean the same model: `llama3.2` is
// `llama3.2:latest`.
bool model_name_same(const char *a, const char *b);

#endif
