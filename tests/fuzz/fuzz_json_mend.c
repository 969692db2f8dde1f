// Whatever the bytes are, mending gives JSON that can be parsed, or nothing.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "program/prompt/json_mend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_CLEAR;
    const char *text = (const char *)data + 1;
    size_t used = 0;

    if (size < 2 || !text_is_utf8(text, size - 1))
        return 0;
    json_t *value = json_mend(text, size - 1, (data[0] & 1) != 0, &used, &err);
    if (used > size - 1 || err.code != ERR_NONE)
        abort();
    char *json = value == NULL ? NULL : json_text(value);
    json_t *again =
        json == NULL ? NULL : json_parse(json, strlen(json), 1 << 24, &err);
    if (value != NULL && again == NULL)
        abort();
    json_decref(again);
    free(json);
    json_decref(value);
    return 0;
}
