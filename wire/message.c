#include "wire/message.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <msgpack.h>

#include "common/logprobs.h"
#include "common/text.h"
#include "wire/shape.h"

// Every message is a table of fields, and the tables drive both directions.
// What encodes also decodes: the same checks stand at both ends, so a frame
// that a peer would refuse is never sent.

enum field_type {
    FIELD_INT,   // int64_t
    FIELD_INT32, // int32_t
    FIELD_ENUM,  // an enum, stored as an int
    FIELD_REAL,  // double, finite
    FIELD_TEXT,  // const char *: UTF-8 without NUL
    FIELD_SLICE, // a text with its length in a second member
    FIELD_BYTES, // const char * and length, any bytes
    FIELD_LIST,  // pointer to structs and their number
};

enum {
    OPTIONAL = 0,
    REQUIRED = 1, // a frame without the key is bad
    NULLABLE = 2, // NULL is not sent, and missing is NULL rather than ""
};

struct table;

struct field {
    const char *key;
    enum field_type type;
    unsigned flags;
    size_t offset;
    size_t len_offset; // of the size_t beside a slice, bytes or list
    int64_t min;
    int64_t max; // of a number; bytes of a text; structs of a list
    const struct table *items;
};

struct table {
    const char *name;
    const struct field *fields;
    size_t n;
    size_t size; // of the struct
};

static_assert(sizeof(enum call_outcome) == sizeof(int) &&
                  sizeof(enum call_think) == sizeof(int),
              "FIELD_ENUM copies an int");

#define NUMBER(type, where, member, key, least, most, flags)                   \
    {                                                                          \
        key, type, flags, offsetof(struct where, member), 0, least, most, NULL \
    }
#define INT(where, member, key, least, most, flags)                            \
    NUMBER(FIELD_INT, where, member, key, least, most, flags)
#define COUNT(where, member, key) INT(where, member, key, 0, INT64_MAX, 0)
#define INT32(where, member, key, least, most, flags)                          \
    NUMBER(FIELD_INT32, where, member, key, least, most, flags)
#define REAL(where, member, key, least, most)                                  \
    NUMBER(FIELD_REAL, where, member, key, least, most, 0)
#define TEXT(where, member, key, cap, flags)                                   \
    {                                                                          \
        key, FIELD_TEXT, flags, offsetof(struct where, member), 0, 0, cap,     \
            NULL                                                               \
    }
#define SIZED(type, where, member, len, key, cap, flags)                       \
    {                                                                          \
        key, type, flags, offsetof(struct where, member),                      \
            offsetof(struct where, len), 0, cap, NULL                          \
    }
#define LIST(where, member, len, key, cap, table)                              \
    {                                                                          \
        key, FIELD_LIST, 0, offsetof(struct where, member),                    \
            offsetof(struct where, len), 0, cap, table                         \
    }
#define TABLE(name, where, fields)                                             \
    {                                                                          \
        name, fields, sizeof(fields) / sizeof((fields)[0]),                    \
            sizeof(struct where)                                               \
    }

enum {
    NAME_CAP = 200,      // names of peers, models, jobs, files
    WORD_CAP = 80,       // versions, codes, digests
    SENTENCE_CAP = 1024, // what a person reads
};
// A number of tokens or milliseconds beyond it is nonsense.
#define MILLIS_CAP ((int64_t)7 * 24 * 3600 * 1000)

static const struct field model_fields[] = {
    TEXT(wire_model, name, "name", NAME_CAP, REQUIRED),
    TEXT(wire_model, digest, "digest", WORD_CAP, 0),
    COUNT(wire_model, context, "context"),
    TEXT(wire_model, quantization, "quantization", WORD_CAP, 0),
};
static const struct table model_table =
    TABLE("model", wire_model, model_fields);

static const struct field file_fields[] = {
    TEXT(wire_file, name, "name", NAME_CAP, REQUIRED),
    SIZED(FIELD_BYTES, wire_file, data, len, "data", WIRE_MAX_TEXT, REQUIRED),
};
static const struct table file_table = TABLE("file", wire_file, file_fields);

// A version out of range must still be read, so that it can be refused.
static const struct field hello_fields[] = {
    INT(hello, version, "version", 0, INT64_MAX, REQUIRED),
    INT(hello, role, "role", PEER_WORKER, PEER_CLIENT, REQUIRED),
    TEXT(hello, name, "name", NAME_CAP, REQUIRED),
    INT(hello, epoch, "epoch", 0, INT64_MAX, REQUIRED),
    INT(hello, slots, "slots", 0, 1024, 0),
    TEXT(hello, software, "software", WORD_CAP, 0),
    TEXT(hello, backend, "backend", WORD_CAP, 0),
    TEXT(hello, server, "server", WORD_CAP, 0),
    INT(hello, simulated, "simulated", 0, 1, 0),
    LIST(hello, models, n_models, "models", WIRE_MAX_MODELS, &model_table),
    SIZED(FIELD_BYTES, hello, kept, kept_len, "kept",
          WIRE_MAX_KEPT *WIRE_KEY_BYTES, 0),
};

static const struct field welcome_fields[] = {
    INT(welcome, heartbeat_ms, "heartbeat_ms", 10, 60000, REQUIRED),
    TEXT(welcome, name, "name", NAME_CAP, REQUIRED),
};

static const struct field refused_fields[] = {
    TEXT(refused, code, "code", WORD_CAP, REQUIRED),
    TEXT(refused, text, "text", SENTENCE_CAP, 0),
};

static const struct field call_fields[] = {
    INT(call_message, id, "id", 0, INT64_MAX, REQUIRED),
    INT(call_message, timeout_ms, "timeout_ms", 1, MILLIS_CAP, REQUIRED),
    TEXT(call_message, digest, "digest", WORD_CAP, 0),
    SIZED(FIELD_BYTES, call_message, key, key_len, "key", WIRE_KEY_BYTES, 0),
    TEXT(call_message, request.model, "model", NAME_CAP, REQUIRED),
    SIZED(FIELD_SLICE, call_message, request.prefix, request.prefix_len,
          "prefix", WIRE_MAX_TEXT, REQUIRED),
    SIZED(FIELD_SLICE, call_message, request.tail, request.tail_len, "tail",
          WIRE_MAX_TEXT, REQUIRED),
    TEXT(call_message, request.format, "format", 1 << 20, NULLABLE),
    INT32(call_message, request.options.num_ctx, "num_ctx", 1, INT32_MAX,
          REQUIRED),
    INT32(call_message, request.options.num_predict, "num_predict", 1,
          INT32_MAX, REQUIRED),
    REAL(call_message, request.options.temperature, "temperature", 0, 100),
    INT(call_message, request.options.seed, "seed", INT64_MIN, INT64_MAX, 0),
    NUMBER(FIELD_ENUM, call_message, request.options.think, "think",
           THINK_UNSET, THINK_ON, 0),
    INT32(call_message, request.options.top_logprobs, "top_logprobs", 0,
          LOGPROBS_TOP, 0),
};

static const struct field cancel_fields[] = {
    INT(cancel, id, "id", 0, INT64_MAX, REQUIRED),
};

static const struct field answer_fields[] = {
    INT(answer_message, id, "id", 0, INT64_MAX, REQUIRED),
    NUMBER(FIELD_ENUM, answer_message, answer.outcome, "outcome", CALL_TEXT,
           CALL_OUTCOME_COUNT - 1, REQUIRED),
    SIZED(FIELD_SLICE, answer_message, answer.text, answer.text_len, "text",
          WIRE_MAX_TEXT, 0),
    INT32(answer_message, answer.prompt_tokens, "prompt_tokens", 0, INT32_MAX,
          0),
    INT32(answer_message, answer.cached_tokens, "cached_tokens", -1, INT32_MAX,
          REQUIRED),
    INT32(answer_message, answer.generated_tokens, "generated_tokens", 0,
          INT32_MAX, 0),
    COUNT(answer_message, answer.prompt_us, "prompt_us"),
    COUNT(answer_message, answer.generate_us, "generate_us"),
    COUNT(answer_message, answer.load_us, "load_us"),
    COUNT(answer_message, answer.total_us, "total_us"),
    TEXT(answer_message, answer.logprobs, "logprobs", LOGPROBS_MAX_BYTES,
         NULLABLE),
};

static const struct field fault_fields[] = {
    INT(fault_message, id, "id", 0, INT64_MAX, REQUIRED),
    INT(fault_message, fault, "fault", FAULT_REFUSED, CALL_FAULT_COUNT - 1,
        REQUIRED),
    TEXT(fault_message, text, "text", SENTENCE_CAP, 0),
};

static const struct field goodbye_fields[] = {
    COUNT(goodbye, open, "open"),
};

static const struct field submit_fields[] = {
    TEXT(submit, action, "action", WORD_CAP, REQUIRED),
    TEXT(submit, options, "options", 1 << 20, 0),
    TEXT(submit, folder, "folder", 4096, 0),
    LIST(submit, files, n_files, "files", WIRE_MAX_FILES, &file_table),
};

static const struct field accepted_fields[] = {
    TEXT(accepted, job, "job", NAME_CAP, REQUIRED),
};

static const struct field progress_fields[] = {
    TEXT(progress, job, "job", NAME_CAP, REQUIRED),
    TEXT(progress, phase, "phase", WORD_CAP, 0),
    TEXT(progress, note, "note", SENTENCE_CAP, 0),
    COUNT(progress, trial, "trial"),
    COUNT(progress, trials, "trials"),
    COUNT(progress, done, "done"),
    COUNT(progress, total, "total"),
    COUNT(progress, calls, "calls"),
    COUNT(progress, reused, "reused"),
    COUNT(progress, in_flight, "in_flight"),
    COUNT(progress, faults, "faults"),
    COUNT(progress, prompt_tokens, "prompt_tokens"),
    COUNT(progress, generated_tokens, "generated_tokens"),
    COUNT(progress, workers, "workers"),
    COUNT(progress, slots, "slots"),
    REAL(progress, best, "best", -1, 1),
    REAL(progress, best_low, "best_low", -1, 1),
    REAL(progress, best_high, "best_high", -1, 1),
    REAL(progress, baseline, "baseline", -1, 1),
    REAL(progress, tokens_per_s, "tokens_per_s", 0, INT64_MAX),
    COUNT(progress, elapsed_ms, "elapsed_ms"),
    INT(progress, left_ms, "left_ms", -1, INT64_MAX, REQUIRED),
};

static const struct field result_fields[] = {
    TEXT(result, job, "job", NAME_CAP, REQUIRED),
    INT(result, status, "status", 0, 255, REQUIRED),
    TEXT(result, document, "document", WIRE_MAX_TEXT, 0),
    TEXT(result, compiled, "compiled", WIRE_MAX_TEXT, 0),
};

static const struct field command_fields[] = {
    TEXT(command, verb, "verb", WORD_CAP, REQUIRED),
    TEXT(command, job, "job", NAME_CAP, 0),
    TEXT(command, argument, "argument", 1 << 20, 0),
};

static const struct field reply_fields[] = {
    TEXT(reply, document, "document", WIRE_MAX_TEXT, REQUIRED),
};

static const struct field part_fields[] = {
    INT(part, of, "of", 1, WIRE_MAX_BYTES, REQUIRED),
    INT(part, at, "at", 0, WIRE_MAX_BYTES, 0),
    SIZED(FIELD_BYTES, part, data, len, "data", WIRE_PART_BYTES, REQUIRED),
};

static const struct table tables[MESSAGE_KIND_COUNT] = {
    [MESSAGE_HELLO] = TABLE("HELLO", hello, hello_fields),
    [MESSAGE_WELCOME] = TABLE("WELCOME", welcome, welcome_fields),
    [MESSAGE_REFUSED] = TABLE("REFUSED", refused, refused_fields),
    [MESSAGE_HEARTBEAT] = {"HEARTBEAT", NULL, 0, 0},
    [MESSAGE_CALL] = TABLE("CALL", call_message, call_fields),
    [MESSAGE_CANCEL] = TABLE("CANCEL", cancel, cancel_fields),
    [MESSAGE_ANSWER] = TABLE("ANSWER", answer_message, answer_fields),
    [MESSAGE_FAULT] = TABLE("FAULT", fault_message, fault_fields),
    [MESSAGE_GOODBYE] = TABLE("GOODBYE", goodbye, goodbye_fields),
    [MESSAGE_SUBMIT] = TABLE("SUBMIT", submit, submit_fields),
    [MESSAGE_ACCEPTED] = TABLE("ACCEPTED", accepted, accepted_fields),
    [MESSAGE_PROGRESS] = TABLE("PROGRESS", progress, progress_fields),
    [MESSAGE_RESULT] = TABLE("RESULT", result, result_fields),
    [MESSAGE_COMMAND] = TABLE("COMMAND", command, command_fields),
    [MESSAGE_REPLY] = TABLE("REPLY", reply, reply_fields),
    [MESSAGE_PART] = TABLE("PART", part, part_fields),
};

const char *message_kind_name(enum message_kind kind)
{
    if ((unsigned)kind >= MESSAGE_KIND_COUNT)
        return "unknown";
    return tables[kind].name;
}

// One direction of one message: what the checks and the errors need.
struct pass {
    const struct table *table;
    enum err_code code; // ERR_LIMIT for what we send, ERR_PROTOCOL else
    struct err *err;
};

static bool refuse(const struct pass *pass, const struct field *field,
                   const char *what)
{
    err_set(pass->err, pass->code, "%s message: %s %s", pass->table->name,
            field->key, what);
    return false;
}

static bool check_int(const struct pass *pass, const struct field *field,
                      int64_t value)
{
    if (value < field->min || value > field->max)
        return refuse(pass, field, "is out of range");
    return true;
}

static bool check_real(const struct pass *pass, const struct field *field,
                       double value)
{
    if (!isfinite(value) || value < (double)field->min ||
        value > (double)field->max)
        return refuse(pass, field, "is out of range");
    return true;
}

static bool check_bytes(const struct pass *pass, const struct field *field,
                        const char *data, size_t len)
{
    if (len > (size_t)field->max)
        return refuse(pass, field, "is too long");
    if (field->type != FIELD_BYTES && !text_is_utf8(data, len))
        return refuse(pass, field, "is no UTF-8 text");
    return true;
}

// Members are copied, never cast: a row's type is all that is known of them.

static int64_t get_int(const struct field *field, const char *base)
{
    int64_t wide = 0;
    int32_t narrow = 0;

    if (field->type == FIELD_INT) {
        memcpy(&wide, base + field->offset, sizeof wide);
        return wide;
    }
    memcpy(&narrow, base + field->offset, sizeof narrow);
    return narrow;
}

static void set_int(const struct field *field, char *base, int64_t value)
{
    int32_t narrow = (int32_t)value;

    if (field->type == FIELD_INT)
        memcpy(base + field->offset, &value, sizeof value);
    else
        memcpy(base + field->offset, &narrow, sizeof narrow);
}

static const char *get_pointer(const struct field *field, const char *base)
{
    const char *pointer = NULL;

    memcpy(&pointer, base + field->offset, sizeof pointer);
    return pointer;
}

static void set_pointer(const struct field *field, char *base,
                        const void *pointer)
{
    memcpy(base + field->offset, &pointer, sizeof pointer);
}

static size_t get_len(const struct field *field, const char *base)
{
    size_t len = 0;

    if (field->type == FIELD_TEXT) {
        const char *text = get_pointer(field, base);
        return text == NULL ? 0 : strlen(text);
    }
    memcpy(&len, base + field->len_offset, sizeof len);
    return len;
}

static void set_len(const struct field *field, char *base, size_t len)
{
    if (field->type != FIELD_TEXT)
        memcpy(base + field->len_offset, &len, sizeof len);
}

// ---- writing

static int write_to_buf(void *data, const char *bytes, size_t len)
{
    buf_append(data, bytes, len);
    return 0;
}

static void pack_text(msgpack_packer *packer, const char *text, size_t len)
{
    msgpack_pack_str(packer, len);
    msgpack_pack_str_body(packer, text, len);
}

static bool pack_fields(const struct pass *pass, msgpack_packer *packer,
                        const struct table *table, const char *base);

static bool is_absent(const struct field *field, const char *base)
{
    return (field->flags & NULLABLE) != 0 && get_pointer(field, base) == NULL;
}

static size_t count_present(const struct table *table, const char *base)
{
    size_t n = 0;

    for (size_t i = 0; i < table->n; i++)
        n += is_absent(&table->fields[i], base) ? 0 : 1;
    return n;
}

static bool pack_bytes(const struct pass *pass, msgpack_packer *packer,
                       const struct field *field, const char *base)
{
    size_t len = get_len(field, base);
    const char *data = len == 0 ? "" : get_pointer(field, base);

    if (!check_bytes(pass, field, data, len))
        return false;
    if (field->type == FIELD_BYTES) {
        msgpack_pack_bin(packer, len);
        msgpack_pack_bin_body(packer, data, len);
    } else {
        pack_text(packer, data, len);
    }
    return true;
}

static bool pack_list(const struct pass *pass, msgpack_packer *packer,
                      const struct field *field, const char *base)
{
    size_t n = get_len(field, base);
    const char *items = get_pointer(field, base);

    if (n > (size_t)field->max)
        return refuse(pass, field, "has too many entries");
    msgpack_pack_array(packer, n);
    for (size_t i = 0; i < n; i++) {
        const char *item = items + i * field->items->size;
        msgpack_pack_map(packer, count_present(field->items, item));
        if (!pack_fields(pass, packer, field->items, item))
            return false;
    }
    return true;
}

static bool pack_real(const struct pass *pass, msgpack_packer *packer,
                      const struct field *field, const char *base)
{
    double value = 0;

    memcpy(&value, base + field->offset, sizeof value);
    if (!check_real(pass, field, value))
        return false;
    msgpack_pack_double(packer, value);
    return true;
}

static bool pack_value(const struct pass *pass, msgpack_packer *packer,
                       const struct field *field, const char *base)
{
    switch (field->type) {
    case FIELD_REAL:
        return pack_real(pass, packer, field, base);
    case FIELD_LIST:
        return pack_list(pass, packer, field, base);
    case FIELD_TEXT:
    case FIELD_SLICE:
    case FIELD_BYTES:
        return pack_bytes(pass, packer, field, base);
    default:
        break;
    }
    if (!check_int(pass, field, get_int(field, base)))
        return false;
    msgpack_pack_int64(packer, get_int(field, base));
    return true;
}

static bool pack_fields(const struct pass *pass, msgpack_packer *packer,
                        const struct table *table, const char *base)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct field *field = &table->fields[i];
        if (is_absent(field, base))
            continue;
        pack_text(packer, field->key, strlen(field->key));
        if (!pack_value(pass, packer, field, base))
            return false;
    }
    return true;
}

static bool pack_message(const struct message *message, struct buf *out,
                         struct err *err)
{
    const struct table *table = &tables[message->kind];
    const struct pass pass = {table, ERR_LIMIT, err};
    const char *base = (const char *)&message->as;
    size_t start = out->len;
    msgpack_packer packer;

    msgpack_packer_init(&packer, out, write_to_buf);
    msgpack_pack_map(&packer, 1 + count_present(table, base));
    pack_text(&packer, "kind", 4);
    msgpack_pack_int(&packer, (int)message->kind);
    if (!pack_fields(&pass, &packer, table, base))
        return false;
    if (!buf_ok(out, "a message", err))
        return false;
    if (out->len - start > WIRE_MAX_BYTES) {
        err_set(err, ERR_LIMIT,
                "%s message: %zu bytes are over the %d of a "
                "frame",
                table->name, out->len - start, (int)WIRE_MAX_BYTES);
        return false;
    }
    return true;
}

bool message_encode(const struct message *message, struct buf *out,
                    struct err *err)
{
    assert((unsigned)message->kind < MESSAGE_KIND_COUNT);

    size_t start = out->len;
    if (pack_message(message, out, err))
        return true;
    // Half a frame is of no use.
    if (out->data != NULL)
        out->data[start] = '\0';
    out->len = start;
    return false;
}

// ---- reading

struct reading {
    struct pass pass;
    struct arena *arena;
};

static bool read_fields(struct reading *reading, const struct table *table,
                        const msgpack_object_map *map, char *base);

static bool read_int(struct reading *reading, const struct field *field,
                     const msgpack_object *value, char *base)
{
    int64_t number = value->via.i64;

    if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        if (value->via.u64 > INT64_MAX)
            return refuse(&reading->pass, field, "is out of range");
        number = (int64_t)value->via.u64;
    } else if (value->type != MSGPACK_OBJECT_NEGATIVE_INTEGER) {
        return refuse(&reading->pass, field, "is no integer");
    }
    if (!check_int(&reading->pass, field, number))
        return false;
    set_int(field, base, number);
    return true;
}

static bool read_real(struct reading *reading, const struct field *field,
                      const msgpack_object *value, char *base)
{
    double number = value->via.f64;

    if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        number = (double)value->via.u64;
    else if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        number = (double)value->via.i64;
    else if (value->type != MSGPACK_OBJECT_FLOAT64 &&
             value->type != MSGPACK_OBJECT_FLOAT32)
        return refuse(&reading->pass, field, "is no number");
    if (!check_real(&reading->pass, field, number))
        return false;
    memcpy(base + field->offset, &number, sizeof number);
    return true;
}

static bool read_bytes(struct reading *reading, const struct field *field,
                       const msgpack_object *value, char *base)
{
    bool binary = field->type == FIELD_BYTES;
    const char *data = binary ? value->via.bin.ptr : value->via.str.ptr;
    size_t len = binary ? value->via.bin.size : value->via.str.size;

    if (value->type != (binary ? MSGPACK_OBJECT_BIN : MSGPACK_OBJECT_STR))
        return refuse(&reading->pass, field, "is no text");
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

static bool read_list(struct reading *reading, const struct field *field,
                      const msgpack_object *value, char *base)
{
    const msgpack_object_array *array = &value->via.array;

    if (value->type != MSGPACK_OBJECT_ARRAY)
        return refuse(&reading->pass, field, "is no list");
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
            return refuse(&reading->pass, field, "holds something else");
        if (!read_fields(reading, field->items, &item->via.map,
                         items + i * field->items->size))
            return false;
    }
    set_pointer(field, base, items);
    set_len(field, base, array->size);
    return true;
}

static bool read_value(struct reading *reading, const struct field *field,
                       const msgpack_object *value, char *base)
{
    switch (field->type) {
    case FIELD_REAL:
        return read_real(reading, field, value, base);
    case FIELD_LIST:
        return read_list(reading, field, value, base);
    case FIELD_TEXT:
    case FIELD_SLICE:
    case FIELD_BYTES:
        return read_bytes(reading, field, value, base);
    default:
        return read_int(reading, field, value, base);
    }
}

static bool key_is(const msgpack_object *key, const char *name)
{
    size_t len = strlen(name);

    return key->type == MSGPACK_OBJECT_STR && key->via.str.size == len &&
           memcmp(key->via.str.ptr, name, len) == 0;
}

// The row of key, or n. Peers write in the order of the table, so the search
// begins behind the row found last.
static size_t find_row(const struct table *table, const msgpack_object *key,
                       size_t from)
{
    for (size_t i = 0; i < table->n; i++) {
        size_t row = (from + i) % table->n;
        if (key_is(key, table->fields[row].key))
            return row;
    }
    return table->n;
}

static bool fill_missing(struct reading *reading, const struct table *table,
                         uint32_t seen, char *base)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct field *field = &table->fields[i];
        if ((seen & UINT32_C(1) << i) != 0)
            continue;
        if ((field->flags & REQUIRED) != 0)
            return refuse(&reading->pass, field, "is missing");
        if ((field->type == FIELD_TEXT || field->type == FIELD_SLICE) &&
            (field->flags & NULLABLE) == 0)
            set_pointer(field, base, "");
    }
    return true;
}

static bool read_fields(struct reading *reading, const struct table *table,
                        const msgpack_object_map *map, char *base)
{
    uint32_t seen = 0; // by row
    size_t next = 0;

    for (size_t i = 0; i < map->size; i++) {
        size_t row = find_row(table, &map->ptr[i].key, next);
        if (row == table->n)
            continue;
        const struct field *field = &table->fields[row];
        if ((seen & UINT32_C(1) << row) != 0)
            return refuse(&reading->pass, field, "comes twice");
        if (!read_value(reading, field, &map->ptr[i].val, base))
            return false;
        seen |= UINT32_C(1) << row;
        next = row + 1;
    }
    return fill_missing(reading, table, seen, base);
}

static bool read_kind(const msgpack_object_map *map, enum message_kind *kind,
                      struct err *err)
{
    const msgpack_object *found = NULL;

    for (size_t i = 0; i < map->size; i++) {
        if (!key_is(&map->ptr[i].key, "kind"))
            continue;
        if (found != NULL) {
            err_set(err, ERR_PROTOCOL, "the kind of a message comes twice");
            return false;
        }
        found = &map->ptr[i].val;
    }
    if (found == NULL || found->type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        found->via.u64 >= MESSAGE_KIND_COUNT) {
        err_set(err, ERR_PROTOCOL, "a message of no kind that we know");
        return false;
    }
    *kind = (enum message_kind)found->via.u64;
    return true;
}

static bool read_message(const msgpack_object *root, struct arena *arena,
                         struct message *out, struct err *err)
{
    struct reading reading = {{NULL, ERR_PROTOCOL, err}, arena};

    if (root->type != MSGPACK_OBJECT_MAP) {
        err_set(err, ERR_PROTOCOL, "a message is a map");
        return false;
    }
    memset(out, 0, sizeof *out);
    if (!read_kind(&root->via.map, &out->kind, err))
        return false;
    reading.pass.table = &tables[out->kind];
    return read_fields(&reading, reading.pass.table, &root->via.map,
                       (char *)&out->as);
}

bool message_decode(const void *data, size_t len, struct arena *arena,
                    struct message *out, struct err *err)
{
    msgpack_unpacked unpacked;
    size_t offset = 0;

    if (len > WIRE_MAX_BYTES) {
        err_set(err, ERR_PROTOCOL, "a message of %zu bytes is too long", len);
        return false;
    }
    if (!shape_check(data, len, err))
        return false;
    msgpack_unpacked_init(&unpacked);
    bool ok = false;
    // The shape is right: what fails now is memory.
    if (msgpack_unpack_next(&unpacked, data, len, &offset) ==
        MSGPACK_UNPACK_SUCCESS)
        ok = read_message(&unpacked.data, arena, out, err);
    else
        err_nomem(err, "a message");
    msgpack_unpacked_destroy(&unpacked);
    return ok;
}
