#include "common/model_name.h"

#include <stddef.h>
#include <string.h>

// Returns the length of a name without the default tag.
static size_t bare_length(const char *name)
{
    static const char latest[] = ":latest";
    size_t len = strlen(name);
    size_t tag = sizeof latest - 1;

    if (len > tag && strcmp(name + len - tag, latest) == 0)
        return len - tag;
    return len;
}

bool model_name_same(const char *a, const char *b)
{
    size_t len = bare_length(a);

    return len == bare_length(b) && memcmp(a, b, len) == 0;
}
