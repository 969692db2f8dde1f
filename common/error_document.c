#include "common/error_document.h"

#include <string.h>

#include "common/buf.h"
#include "common/json.h"

// An escaped byte takes six; and two quotes.
enum { TEXT_MAX_BYTES = 6 * sizeof((struct err *)0)->text + 3 };

size_t error_place(const char *text)
{
    const char *colon = strchr(text, ':');
    size_t len, digits;

    if (colon == NULL)
        return 0;
    digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || colon[1 + digits] != ':')
        return 0;
    len = (size_t)(colon - text) + 1 + digits;
    digits = strspn(text + len + 1, "0123456789");
    return digits > 0 && text[len + 1 + digits] == ':' ? len + 1 + digits : len;
}

// Paths need not be UTF-8; JSON must be.
static json_t *text_json(const char *text, size_t len)
{
    struct buf buf = BUF_INIT(TEXT_MAX_BYTES);
    json_t *json = NULL;

    buf_put_json(&buf, text, len);
    if (!buf.failed)
        json = json_loadb(buf.data, buf.len, JSON_DECODE_ANY, NULL);
    buf_release(&buf);
    return json;
}

json_t *error_json(const struct err *err)
{
    size_t place = error_place(err->text);

    return json_pack("{s:s, s:o, s:o}", "code", err_code_name(err->code),
                     "text", text_json(err->text, strlen(err->text)), "place",
                     place == 0 ? json_null() : text_json(err->text, place));
}

char *error_document(const struct err *err)
{
    json_t *document = json_pack("{s:o}", "error", error_json(err));
    char *text = document == NULL ? NULL : json_text(document);

    json_decref(document);
    return text;
}
