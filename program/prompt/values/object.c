// object: members as JSON, each under its name.

#include <string.h>

#include "program/prompt/marker.h"
#include "program/prompt/reply.h"
#include "program/prompt/reply_json.h"
#include "program/prompt/value_reader.h"

// Returns true if key names the member: exactly, or ignoring case and gaps if
// no other member has exactly that name.
static bool is_key_of(const struct type *type, const struct field *member,
                      const char *key)
{
    struct span name = span_trim((struct span){key, strlen(key)});

    if (strcmp(key, member->name) == 0)
        return true;
    for (size_t i = 0; i < type->n_members; i++)
        if (strcmp(type->members[i].name, key) == 0)
            return false;
    return marker_same_name(name, member->name);
}

// Returns the value of a member. If two of its keys have different values,
// either could be meant, and *twice is set.
static const json_t *find_member(const struct type *type,
                                 const struct field *member,
                                 const json_t *object, unsigned *lenient,
                                 bool *twice)
{
    const json_t *value = json_object_get(object, member->name);
    json_t *all = (json_t *)object; // iterators need it non-const

    for (void *at = json_object_iter(all); at != NULL;
         at = json_object_iter_next(all, at)) {
        const char *key = json_object_iter_key(at);
        const json_t *other = json_object_iter_value(at);

        if (!is_key_of(type, member, key))
            continue;
        *twice = *twice || (value != NULL && !json_equal(value, other));
        if (strcmp(key, member->name) != 0)
            *lenient |= LENIENT_MARKER;
        value = value == NULL ? other : value;
    }
    return value;
}

static bool object_fits(const struct reply_wanted *wanted, const json_t *value)
{
    const struct type *type = wanted->user;
    unsigned ignored = 0;
    bool twice = false;

    for (size_t i = 0; json_is_object(value) && i < type->n_members; i++) {
        if (find_member(type, &type->members[i], value, &ignored, &twice) !=
            NULL)
            return true;
    }
    return json_is_object(value) && type->n_members == 0;
}

static json_t *read_member(struct value_reader *reader, const struct type *type,
                           const struct field *member, const json_t *object)
{
    bool twice = false;
    const json_t *value =
        find_member(type, member, object, &reader->lenient, &twice);

    if (twice) {
        err_set(reader->problem, ERR_INPUT, "`%s` has \"%s\" more than once",
                reader->name, member->name);
        return NULL;
    }
    if (value != NULL)
        return reader->json(reader, &member->type, value);
    if (member->type.optional)
        return json_null();
    err_set(reader->problem, ERR_INPUT, "`%s` has no \"%s\"", reader->name,
            member->name);
    return NULL;
}

static json_t *json_of_object(struct value_reader *reader,
                              const struct type *type, const json_t *value)
{
    if (!json_is_object(value))
        return value_reader_nested(reader, type, value);
    json_t *object = value_reader_checked(reader, json_object());

    for (size_t i = 0; object != NULL && i < type->n_members; i++) {
        const struct field *member = &type->members[i];
        json_t *read = read_member(reader, type, member, value);

        if (read == NULL ||
            json_object_set_new(object, member->name, read) != 0) {
            if (read != NULL)
                err_nomem(reader->problem, "an object");
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

static json_t *find_nested(struct value_reader *reader, const struct type *type,
                           struct span text)
{
    const struct reply_wanted wanted = {
        .open = '{', .words = true, .fits = object_fits, .user = type};

    return reply_find_json(&wanted, text, &reader->lenient, reader->problem);
}

static json_t *text_of_object(struct value_reader *reader,
                              const struct type *type, struct span text)
{
    json_t *value = reply_whole_json(text, reader->problem);
    json_t *read = NULL;

    if (!json_is_object(value)) {
        json_decref(value);
        value = find_nested(reader, type, text);
    }
    if (value != NULL)
        read = json_of_object(reader, type, value);
    json_decref(value);
    return value_reader_or_refuse(reader, type, text, read);
}

const struct value_kind value_kind_object = {.text = text_of_object,
                                             .json = json_of_object};
