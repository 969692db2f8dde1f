// openapi: what a compiled program takes and gives, as an OpenAPI 3.1 document.

#ifndef SERVE_OPENAPI_H
#define SERVE_OPENAPI_H

#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "program/run/compiled.h"

// New reference. most: inputs in one request.
json_t *openapi_of(const struct compiled *compiled, size_t most,
                   struct err *err);

#endif
