#include "wire/prefixes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// Returns the place of the name, or n if it is not there.
static size_t find(const struct known_prefixes *known, const struct hash *name)
{
    size_t at = 0;

    while (at < known->n && !hash_equal(&known->names[at], name))
        at++;
    return at;
}

// Moves the name to the front, shifting those before `at` back by one.
static void move_to_front(struct known_prefixes *known, size_t at,
                          const struct hash *name)
{
    struct hash first = *name;

    memmove(known->names + 1, known->names, at * sizeof *known->names);
    known->names[0] = first;
}

bool known_prefixes_use(struct known_prefixes *known, const struct hash *name)
{
    size_t at = find(known, name);
    bool is_known = at < known->n;

    if (!is_known && known->n < known->room)
        known->n++;
    else if (!is_known)
        at = known->n - 1;
    move_to_front(known, at, name);
    return is_known;
}

void known_prefixes_forget(struct known_prefixes *known)
{
    known->n = 0;
}

void kept_prefixes_release(struct kept_prefixes *kept)
{
    for (size_t i = 0; i < kept->names.n; i++)
        free(kept->texts[i].text);
    *kept = (struct kept_prefixes){.names.room = kept->names.room};
}

static void text_to_front(struct kept_prefixes *kept, size_t at,
                          struct kept_text text)
{
    memmove(kept->texts + 1, kept->texts, at * sizeof *kept->texts);
    kept->texts[0] = text;
}

static bool keep(struct kept_prefixes *kept, const struct hash *name,
                 const struct call_request *request, struct err *err)
{
    struct hash hash = hash_of("prefix", request->prefix, request->prefix_len);
    size_t at = find(&kept->names, name);
    struct kept_text text = {.len = request->prefix_len};

    if (!hash_equal(&hash, name)) {
        err_set(err, ERR_PROTOCOL,
                "a call whose prefix does not match its name");
        return false;
    }
    text.text = malloc(request->prefix_len + 1);
    if (text.text == NULL) {
        err_nomem(err, "a prefix");
        return false;
    }
    memcpy(text.text, request->prefix, request->prefix_len);
    text.text[request->prefix_len] = '\0';
    if (at == kept->names.n && at == kept->names.room)
        at--; // the last one is dropped
    if (at < kept->names.n)
        free(kept->texts[at].text);
    (void)known_prefixes_use(&kept->names, name);
    text_to_front(kept, at, text);
    return true;
}

static bool give(struct kept_prefixes *kept, const struct hash *name,
                 struct call_request *request, struct err *err)
{
    size_t at = find(&kept->names, name);

    if (at == kept->names.n) {
        err_set(err, ERR_BUSY, "a call whose prefix is not known here");
        return false;
    }
    struct kept_text text = kept->texts[at];
    move_to_front(&kept->names, at, name);
    text_to_front(kept, at, text);
    request->prefix = text.text;
    request->prefix_len = text.len;
    return true;
}

bool kept_prefixes_fill(struct kept_prefixes *kept, struct call_message *call,
                        struct err *err)
{
    struct hash name;

    assert(kept->names.room > 0);
    if (call->prefix_name_len == 0)
        return true;
    if (call->prefix_name_len != HASH_BYTES ||
        call->request.prefix_len > WIRE_PREFIX_BYTES) {
        err_set(err, ERR_PROTOCOL,
                "a call whose prefix is too long or has no valid name");
        return false;
    }
    memcpy(name.bytes, call->prefix_name, sizeof name.bytes);
    return call->request.prefix_len > 0
               ? keep(kept, &name, &call->request, err)
               : give(kept, &name, &call->request, err);
}
