#include "program/job/packed.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum tag {
    TAG_NULL,
    TAG_FALSE,
    TAG_TRUE,
    TAG_INT,
    TAG_REAL,
    TAG_TEXT,
    TAG_ARRAY,
    TAG_OBJECT,
    TAG_DEFAULT,
    TAG_SHORT = 0x80, // plus the length of the text
};

enum { SHORT_MAX = 127, VARINT_BYTES = 10 };

void packed_release(struct packed_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->names[i]);
    for (size_t i = 0; i < names->n_shared; i++)
        json_decref(names->shared[i]);
    *names = (struct packed_names){0};
}

void packed_share(struct packed_names *names, json_t *value)
{
    if (names->n_shared < PACKED_MAX_SHARED)
        names->shared[names->n_shared++] = json_incref(value);
}

// --- writing ---

static void put_varint(struct buf *out, uint64_t value)
{
    char bytes[VARINT_BYTES];
    size_t n = 0;

    for (; value > 0x7f; value >>= 7)
        bytes[n++] = (char)(value | 0x80);
    bytes[n++] = (char)value;
    buf_append(out, bytes, n);
}

static void put_text(struct buf *out, const char *text, size_t len)
{
    if (len <= SHORT_MAX) {
        buf_putc(out, (char)(TAG_SHORT + len));
    } else {
        buf_putc(out, TAG_TEXT);
        put_varint(out, len);
    }
    buf_append(out, text, len);
}

// FNV-1a, 32 bits.
static uint32_t hash_of(const char *name)
{
    uint32_t hash = 2166136261U;

    for (const char *at = name; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    return hash;
}

// Returns the slot of a name, or the free slot where it belongs. At most a
// quarter of the slots is used, so a search for a name that is not in the list
// ends soon.
static uint16_t *slot_of(struct packed_names *names, const char *name)
{
    size_t at = hash_of(name) % PACKED_SLOTS;

    while (names->slots[at] != 0 &&
           strcmp(names->names[names->slots[at] - 1], name) != 0)
        at = (at + 1) % PACKED_SLOTS;
    return &names->slots[at];
}

// Returns the index of a name, which is added to the list if it is new and
// there is room, or else names->n. Most objects have their members in the same
// order, so the search starts after the previous name.
static size_t place_of(struct packed_names *names, const char *name)
{
    size_t next = names->next < names->n ? names->next : 0;
    uint16_t *slot;

    if (names->n > 0 && strcmp(names->names[next], name) == 0) {
        names->next = next + 1;
        return next;
    }
    slot = slot_of(names, name);
    if (*slot == 0 && names->n < PACKED_MAX_NAMES) {
        names->names[names->n] = strdup(name);
        if (names->names[names->n] == NULL)
            return names->n;
        *slot = (uint16_t)++names->n;
    } else if (*slot == 0) {
        return names->n;
    }
    names->next = *slot;
    return *slot - 1U;
}

static void put_name(struct packed_names *names, const char *name,
                     struct buf *out)
{
    size_t before = names->n;
    size_t place = place_of(names, name);

    if (place == before && place == names->n) {
        buf_putc(out, 0);
        put_varint(out, strlen(name));
        buf_puts(out, name);
        return;
    }
    put_varint(out, place + 1);
}

static void put_object(struct packed_names *names, json_t *object,
                       struct buf *out)
{
    buf_putc(out, TAG_OBJECT);
    put_varint(out, json_object_size(object));
    for (void *at = json_object_iter(object); at != NULL;
         at = json_object_iter_next(object, at)) {
        put_name(names, json_object_iter_key(at), out);
        packed_put(names, json_object_iter_value(at), out);
    }
}

static void put_array(struct packed_names *names, const json_t *array,
                      struct buf *out)
{
    size_t n = json_array_size(array);

    buf_putc(out, TAG_ARRAY);
    put_varint(out, n);
    for (size_t i = 0; i < n; i++)
        packed_put(names, json_array_get(array, i), out);
}

static void put_integer(struct buf *out, json_int_t value)
{
    uint64_t bits = (uint64_t)value;

    buf_putc(out, TAG_INT);
    put_varint(out, value < 0 ? ~(bits << 1) : bits << 1);
}

static void put_real(struct buf *out, double value)
{
    buf_putc(out, TAG_REAL);
    buf_append(out, &value, sizeof value);
}

static bool put_shared(struct packed_names *names, const json_t *value,
                       struct buf *out)
{
    for (size_t i = 0; i < names->n_shared; i++) {
        if (names->shared[i] != value)
            continue;
        buf_putc(out, TAG_DEFAULT);
        put_varint(out, i);
        return true;
    }
    return false;
}

void packed_put(struct packed_names *names, const json_t *value,
                struct buf *out)
{
    if (put_shared(names, value, out))
        return;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(names, (json_t *)value, out);
        break;
    case JSON_ARRAY:
        put_array(names, value, out);
        break;
    case JSON_STRING:
        put_text(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        put_integer(out, json_integer_value(value));
        break;
    case JSON_REAL:
        put_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
        buf_putc(out, TAG_TRUE);
        break;
    case JSON_FALSE:
        buf_putc(out, TAG_FALSE);
        break;
    case JSON_NULL:
        buf_putc(out, TAG_NULL);
        break;
    }
}

// --- reading ---

struct reading {
    const struct packed_names *names;
    const uint8_t *at;
};

static uint64_t get_varint(struct reading *reading)
{
    uint64_t value = 0;

    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = *reading->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
}

// Packed texts were checked when they were parsed.
static json_t *get_text(struct reading *reading, size_t len)
{
    const char *text = (const char *)reading->at;

    reading->at += len;
    return json_stringn_nocheck(text, len);
}

static json_t *get_integer(struct reading *reading)
{
    uint64_t bits = get_varint(reading);
    uint64_t value = bits >> 1;

    return json_integer((json_int_t)((bits & 1) != 0 ? ~value : value));
}

static json_t *get_real(struct reading *reading)
{
    double value = 0;

    memcpy(&value, reading->at, sizeof value);
    reading->at += sizeof value;
    return json_real(value);
}

static json_t *get_value(struct reading *reading);

static json_t *get_array(struct reading *reading)
{
    size_t n = get_varint(reading);
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < n; i++)
        if (json_array_append_new(array, get_value(reading)) != 0) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

static void get_name(struct reading *reading, const char **name, size_t *len)
{
    size_t place = get_varint(reading);

    if (place > 0) {
        *name = reading->names->names[place - 1];
        *len = strlen(*name);
        return;
    }
    *len = get_varint(reading);
    *name = (const char *)reading->at;
    reading->at += *len;
}

static json_t *get_object(struct reading *reading)
{
    size_t n = get_varint(reading);
    json_t *object = json_object();

    for (size_t i = 0; object != NULL && i < n; i++) {
        const char *name = NULL;
        size_t len = 0;

        get_name(reading, &name, &len);
        if (json_object_setn_new_nocheck(object, name, len,
                                         get_value(reading)) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

static json_t *get_value(struct reading *reading)
{
    uint8_t tag = *reading->at++;

    if (tag >= TAG_SHORT)
        return get_text(reading, tag - TAG_SHORT);
    switch ((enum tag)tag) {
    case TAG_FALSE:
        return json_false();
    case TAG_TRUE:
        return json_true();
    case TAG_INT:
        return get_integer(reading);
    case TAG_REAL:
        return get_real(reading);
    case TAG_TEXT:
        return get_text(reading, get_varint(reading));
    case TAG_ARRAY:
        return get_array(reading);
    case TAG_OBJECT:
        return get_object(reading);
    case TAG_DEFAULT:
        return json_incref(reading->names->shared[get_varint(reading)]);
    default:
        return json_null();
    }
}

json_t *packed_get(const struct packed_names *names, const char *bytes)
{
    struct reading reading = {.names = names, .at = (const uint8_t *)bytes};

    return get_value(&reading);
}
