#include "common/error_document.h"

#include <string.h>

#include "common/json.h"

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

json_t *error_json(const struct err *err)
{
    size_t place = error_place(err->text);

    return json_pack("{s:s, s:s, s:o}", "code", err_code_name(err->code),
                     "text", err->text, "place",
                     place == 0 ? json_null() : json_stringn(err->text, place));
}

json_t *error_document_json(const struct err *err)
{
    return json_pack("{s:o}", "error", error_json(err));
}

char *error_document(const struct err *err)
{
    json_t *document = error_document_json(err);
    char *text = document == NULL ? NULL : json_text(document);

    json_decref(document);
    return text;
}
