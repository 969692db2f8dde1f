#include "wire/fields.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "common/text.h"

enum { KEY_MOST = 31 }; // the longest text whose head is one byte

// One direction of one message, with what the checks and the errors need.
struct pass {
    const struct field_table *table;
    enum err_code code; // ERR_LIMIT when sending, ERR_PROTOCOL when reading
    struct err *err;
};

static bool refuse(const struct pass *pass, const struct message_field *field,
                   const char *what)
{
    err_set(pass->err, pass->code, "%s message: %s %s", pass->table->name,
            field->key, what);
    return false;
}

static bool check_int(const struct pass *pass,
                      const struct message_field *field, int64_t value)
{
    if (value < field->min || value > field->max)
        return refuse(pass, field, "is out of range");
    return true;
}

static bool check_real(const struct pass *pass,
                       const struct message_field *field, double value)
{
    if (!isfinite(value) || value < (double)field->min ||
        value > (double)field->max)
        return refuse(pass, field, "is out of range");
    return true;
}

static bool check_bytes(const struct pass *pass,
                        const struct message_field *field, const char *data,
                        size_t len)
{
    if (len > (size_t)field->max)
        return refuse(pass, field, "is too long");
    if (field->type != TYPE_BYTES && !text_is_utf8(data, len))
        return refuse(pass, field, "is not UTF-8 text without NUL");
    return true;
}

// Members are copied, never cast, since only a row knows their types.

static int64_t get_int(const struct message_field *field, const char *base)
{
    int64_t wide = 0;
    int32_t narrow = 0;

    if (field->type == TYPE_INT) {
        memcpy(&wide, base + field->offset, sizeof wide);
        return wide;
    }
    memcpy(&narrow, base + field->offset, sizeof narrow);
    return narrow;
}

static void set_int(const struct message_field *field, char *base,
                    int64_t value)
{
    int32_t narrow = (int32_t)value;

    if (field->type == TYPE_INT)
        memcpy(base + field->offset, &value, sizeof value);
    else
        memcpy(base + field->offset, &narrow, sizeof narrow);
}

static const char *get_pointer(const struct message_field *field,
                               const char *base)
{
    const char *pointer = NULL;

    memcpy(&pointer, base + field->offset, sizeof pointer);
    return pointer;
}

static void set_pointer(const struct message_field *field, char *base,
                        const void *pointer)
{
    memcpy(base + field->offset, &pointer, sizeof pointer);
}

static size_t get_len(const struct message_field *field, const char *base)
{
    size_t len = 0;

    if (field->type == TYPE_TEXT) {
        const char *text = get_pointer(field, base);
        return text == NULL ? 0 : strlen(text);
    }
    memcpy(&len, base + field->len_offset, sizeof len);
    return len;
}

static void set_len(const struct message_field *field, char *base, size_t len)
{
    if (field->type != TYPE_TEXT)
        memcpy(base + field->len_offset, &len, sizeof len);
}

// --- writing ---

// Where msgpack's own output goes.
struct packing {
    struct pass pass;
    struct buf *out;
    msgpack_packer packer;
};

static int write_to_buf(void *data, const char *bytes, size_t len)
{
    buf_append(data, bytes, len);
    return 0;
}

static bool is_zero(const struct message_field *field, const char *base)
{
    double real = 0;

    switch (field->type) {
    case TYPE_REAL:
        memcpy(&real, base + field->offset, sizeof real);
        return real == 0;
    case TYPE_TEXT:
    case TYPE_SLICE:
    case TYPE_BYTES:
    case TYPE_LIST:
        return get_len(field, base) == 0;
    default:
        return get_int(field, base) == 0;
    }
}

static bool is_absent(const struct message_field *field, const char *base)
{
    if ((field->flags & NULLABLE) != 0)
        return get_pointer(field, base) == NULL;
    return (field->flags & REQUIRED) == 0 && is_zero(field, base);
}

size_t fields_count(const struct field_table *table, const void *base)
{
    size_t n = 0;

    for (size_t i = 0; i < table->n; i++)
        n += is_absent(&table->fields[i], base) ? 0 : 1;
    return n;
}

// Writes the key with its head, which is one byte for such a short text. There
// are as many keys as values, and each msgpack call would mean two calls of
// write_to_buf.
static void pack_key(struct packing *packing, const struct message_field *field)
{
    char bytes[1 + KEY_MOST];

    assert(field->key_len <= KEY_MOST);
    bytes[0] = (char)(0xa0 | field->key_len);
    memcpy(bytes + 1, field->key, field->key_len);
    buf_append(packing->out, bytes, 1 + field->key_len);
}

static bool pack_fields(struct packing *packing,
                        const struct field_table *table, const char *base);

static bool pack_bytes(struct packing *packing,
                       const struct message_field *field, const char *base)
{
    size_t len = get_len(field, base);
    const char *data = len == 0 ? "" : get_pointer(field, base);

    if (!check_bytes(&packing->pass, field, data, len))
        return false;
    if (field->type == TYPE_BYTES)
        msgpack_pack_bin(&packing->packer, len);
    else
        msgpack_pack_str(&packing->packer, len);
    buf_append(packing->out, data, len);
    return true;
}

static bool pack_list(struct packing *packing,
                      const struct message_field *field, const char *base)
{
    size_t n = get_len(field, base);
    const char *items = get_pointer(field, base);

    if (n > (size_t)field->max)
        return refuse(&packing->pass, field, "has too many entries");
    msgpack_pack_array(&packing->packer, n);
    for (size_t i = 0; i < n; i++) {
        const char *item = items + i * field->items->size;
        msgpack_pack_map(&packing->packer, fields_count(field->items, item));
        if (!pack_fields(packing, field->items, item))
            return false;
    }
    return true;
}

static bool pack_real(struct packing *packing,
                      const struct message_field *field, const char *base)
{
    double value = 0;

    memcpy(&value, base + field->offset, sizeof value);
    if (!check_real(&packing->pass, field, value))
        return false;
    msgpack_pack_double(&packing->packer, value);
    return true;
}

static bool pack_value(struct packing *packing,
                       const struct message_field *field, const char *base)
{
    switch (field->type) {
    case TYPE_REAL:
        return pack_real(packing, field, base);
    case TYPE_LIST:
        return pack_list(packing, field, base);
    case TYPE_TEXT:
    case TYPE_SLICE:
    case TYPE_BYTES:
        return pack_bytes(packing, field, base);
    default:
        break;
    }
    if (!check_int(&packing->pass, field, get_int(field, base)))
        return false;
    msgpack_pack_int64(&packing->packer, get_int(field, base));
    return true;
}

static bool pack_fields(struct packing *packing,
                        const struct field_table *table, const char *base)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct message_field *field = &table->fields[i];
        if (is_absent(field, base))
            continue;
        pack_key(packing, field);
        if (!pack_value(packing, field, base))
            return false;
    }
    return true;
}

// --- reading ---

struct reading {
    struct pass pass;
    struct arena *arena;
};

static bool read_fields(struct reading *reading,
                        const struct field_table *table,
                        const msgpack_object_map *map, char *base);

static bool read_int(struct reading *reading, const struct message_field *field,
                     const msgpack_object *value, char *base)
{
    int64_t number = value->via.i64;

    if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        if (value->via.u64 > INT64_MAX)
            return refuse(&reading->pass, field, "is out of range");
        number = (int64_t)value->via.u64;
    } else if (value->type != MSGPACK_OBJECT_NEGATIVE_INTEGER) {
        return refuse(&reading->pass, field, "is not an integer");
    }
    if (!check_int(&reading->pass, field, number))
        return false;
    set_int(field, base, number);
    return true;
}

static bool read_real(struct reading *reading,
                      const struct message_field *field,
                      const msgpack_object *value, char *base)
{
    double number = value->via.f64;

    if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        number = (double)value->via.u64;
    else if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        number = (double)value->via.i64;
    else if (value->type != MSGPACK_OBJECT_FLOAT64 &&
             value->type != MSGPACK_OBJECT_FLOAT32)
        return refuse(&reading->pass, field, "is not a number");
    if (!check_real(&reading->pass, field, number))
        return false;
    memcpy(base + field->offset, &number, sizeof number);
    return true;
}

static bool read_bytes(struct reading *reading,
                       const struct message_field *field,
                       const msgpack_object *value, char *base)
{
    bool binary = field->type == TYPE_BYTES;
    const char *data = binary ? value->via.bin.ptr : value->via.str.ptr;
    size_t len = binary ? value->via.bin.size : value->via.str.size;

    if (value->type != (binary ? MSGPACK_OBJECT_BIN : MSGPACK_OBJECT_STR))
        return refuse(&reading->pass, field,
                      binary ? "is not bytes" : "is not text");
    if (!check_bytes(&reading->pass, field, data, len))
        return false;
    char *copy = arena_alloc(reading->arena, len + 1);
    if (copy == NULL) {
        err_nomem(reading->pass.err, "a message");
        return false;
    }
    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    set_pointer(field, base, copy);
    set_len(field, base, len);
    return true;
}

static bool read_list(struct reading *reading,
                      const struct message_field *field,
                      const msgpack_object *value, char *base)
{
    const msgpack_object_array *array = &value->via.array;

    if (value->type != MSGPACK_OBJECT_ARRAY)
        return refuse(&reading->pass, field, "is not a list");
    if (array->size > (size_t)field->max)
        return refuse(&reading->pass, field, "has too many entries");
    char *items = arena_array(reading->arena, array->size, field->items->size);
    if (items == NULL) {
        err_nomem(reading->pass.err, "a message");
        return false;
    }
    for (size_t i = 0; i < array->size; i++) {
        const msgpack_object *item = &array->ptr[i];
        if (item->type != MSGPACK_OBJECT_MAP)
            return refuse(&reading->pass, field,
                          "has an entry that is not a map");
        if (!read_fields(reading, field->items, &item->via.map,
                         items + i * field->items->size))
            return false;
    }
    set_pointer(field, base, items);
    set_len(field, base, array->size);
    return true;
}

static bool read_value(struct reading *reading,
                       const struct message_field *field,
                       const msgpack_object *value, char *base)
{
    switch (field->type) {
    case TYPE_REAL:
        return read_real(reading, field, value, base);
    case TYPE_LIST:
        return read_list(reading, field, value, base);
    case TYPE_TEXT:
    case TYPE_SLICE:
    case TYPE_BYTES:
        return read_bytes(reading, field, value, base);
    default:
        return read_int(reading, field, value, base);
    }
}

static bool key_is(const msgpack_object *key, const struct message_field *field)
{
    return key->type == MSGPACK_OBJECT_STR &&
           key->via.str.size == field->key_len &&
           memcmp(key->via.str.ptr, field->key, field->key_len) == 0;
}

// Returns the row of the key, or n. Peers write in the order of the table, so
// the search begins after the row that was found last.
static size_t find_row(const struct field_table *table,
                       const msgpack_object *key, size_t from)
{
    size_t row = from;

    for (size_t i = 0; i < table->n; i++, row++) {
        if (row == table->n)
            row = 0;
        if (key_is(key, &table->fields[row]))
            return row;
    }
    return table->n;
}

static bool fill_missing(struct reading *reading,
                         const struct field_table *table, uint32_t seen,
                         char *base)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct message_field *field = &table->fields[i];
        if ((seen & UINT32_C(1) << i) != 0)
            continue;
        if ((field->flags & REQUIRED) != 0)
            return refuse(&reading->pass, field, "is missing");
        if ((field->type == TYPE_TEXT || field->type == TYPE_SLICE) &&
            (field->flags & NULLABLE) == 0)
            set_pointer(field, base, "");
    }
    return true;
}

static bool read_fields(struct reading *reading,
                        const struct field_table *table,
                        const msgpack_object_map *map, char *base)
{
    uint32_t seen = 0; // one bit for each row
    size_t next = 0;

    for (size_t i = 0; i < map->size; i++) {
        size_t row = find_row(table, &map->ptr[i].key, next);
        if (row == table->n)
            continue;
        const struct message_field *field = &table->fields[row];
        if ((seen & UINT32_C(1) << row) != 0)
            return refuse(&reading->pass, field, "appears twice");
        if (!read_value(reading, field, &map->ptr[i].val, base))
            return false;
        seen |= UINT32_C(1) << row;
        next = row + 1;
    }
    return fill_missing(reading, table, seen, base);
}

void fields_begin(struct buf *out, size_t n)
{
    msgpack_packer packer;

    msgpack_packer_init(&packer, out, write_to_buf);
    msgpack_pack_map(&packer, n);
}

bool fields_write(const struct field_table *table, const void *base,
                  struct buf *out, struct err *err)
{
    struct packing packing = {{table, ERR_LIMIT, err}, .out = out};

    msgpack_packer_init(&packing.packer, out, write_to_buf);
    return pack_fields(&packing, table, base);
}

bool fields_read(const struct field_table *table, const msgpack_object_map *map,
                 struct arena *arena, void *base, struct err *err)
{
    struct reading reading = {{table, ERR_PROTOCOL, err}, arena};

    return read_fields(&reading, table, map, base);
}
