// Whatever the bytes are, a compiled file can either be read and used, or is
// refused in words.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "program/run/compiled.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_CLEAR;
    char *text = malloc(size + 1);
    struct compiled *compiled;

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    compiled = compiled_read("compiled.json", text, size, &err);
    if (compiled == NULL && (err.code == ERR_NONE || err.text[0] == '\0'))
        abort();
    compiled_free(compiled);
    free(text);
    return 0;
}
