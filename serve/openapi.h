// openapi: describes a compiled program's inputs and outputs as an OpenAPI 3.1
// document.

#ifndef SERVE_OPENAPI_H
#define SERVE_OPENAPI_H

#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/run/compiled.h"

// Returns a new reference. most: how many inputs one request may have.
json_t *openapi_of(const struct compiled *compiled, size_t most,
                   struct err *err);

#endif
