#include "model/backend.h"

#include <string.h>

#include "common/json.h"

bool backend_copy(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);

    if (len == 0 || len >= size)
        return false;
    memcpy(out, text, len + 1);
    return true;
}

// Reads one part of a content: {"type": "text", "text": ...}, a bare text, or
// thinking, which Mistral's models send as a separate part.
static bool read_part(const json_t *part, struct reply_facts *facts)
{
    const char *type = json_get_text(part, "type", "text");
    const char *text = json_is_string(part) ? json_string_value(part)
                                            : json_get_text(part, "text", NULL);

    if (strcmp(type, "text") == 0 || strcmp(type, "output_text") == 0) {
        buf_puts(&facts->parts, text == NULL ? "" : text);
        return text != NULL;
    }
    if (strcmp(type, "thinking") == 0 || strcmp(type, "reasoning") == 0)
        facts->thought = "a part of its own";
    if (strcmp(type, "refusal") == 0)
        facts->refusal = json_get_text(part, "refusal", "");
    return json_is_object(part);
}

bool backend_read_content(const json_t *content, struct reply_facts *facts)
{
    facts->text = json_is_string(content) ? json_string_value(content) : "";
    facts->text_len = json_string_length(content);
    if (json_is_string(content) || json_is_null(content))
        return true;
    if (!json_is_array(content))
        return false;
    for (size_t i = 0; i < json_array_size(content); i++) {
        if (!read_part(json_array_get(content, i), facts))
            return false;
    }
    if (facts->parts.len > 0)
        facts->text = facts->parts.data;
    facts->text_len = facts->parts.len;
    return !facts->parts.failed;
}
