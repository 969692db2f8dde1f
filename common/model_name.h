// model_name: what a model is called, with and without its tag.

#ifndef COMMON_MODEL_NAME_H
#define COMMON_MODEL_NAME_H

#include <stdbool.h>

// Whether two names mean one model: `llama3.2` is `llama3.2:latest`.
bool model_name_same(const char *a, const char *b);

#endif
