#include "program/job/dataset.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/json.h"
#include "program/job/packed.h"
#include "program/job/rows.h"

enum {
    CACHED = 1024,     // rows whose objects are cached, except
    LONG_BYTES = 4096, // those with more packed bytes than this
    BLOCK_BYTES = 1 << 20,
};

// Where a row is, and the facts that are needed of all rows at once.
struct kept_row {
    uint64_t inputs;   // the key of its inputs (struct keyed_row)
    const char *bytes; // packed, in a block
    int32_t line;
    uint8_t file;
    bool is_long;
};

struct block {
    struct block *next;
    size_t len, cap;
    char bytes[];
};

struct file {
    char *name; // owned
    char *path; // owned
};

struct cached {
    size_t at;
    struct row row; // NULL objects: an empty slot
};

struct dataset {
    const struct program *program; // borrowed
    struct kept_row *rows;
    size_t n, room;
    struct block *blocks; // the first is being filled
    struct packed_names names;
    struct buf scratch; // one row, packed
    struct file files[DATASET_MAX_FILES];
    size_t n_files;
    size_t skipped;
    pthread_mutex_t lock; // of cached
    struct cached cached[CACHED];
};

_Static_assert(DATASET_MAX_FILES <= 255, "a row knows its file by 8 bits");

// --- making ---

static void share_defaults(struct dataset *dataset)
{
    for (size_t i = 0; i < dataset->program->n_inputs; i++)
        if (dataset->program->inputs[i].default_value != NULL)
            packed_share(&dataset->names,
                         dataset->program->inputs[i].default_value);
}

struct dataset *dataset_new(const struct program *program)
{
    struct dataset *dataset = calloc(1, sizeof *dataset);

    if (dataset == NULL)
        return NULL;
    if (pthread_mutex_init(&dataset->lock, NULL) != 0) {
        free(dataset);
        return NULL;
    }
    dataset->program = program;
    // A number may take 10 bytes when its text has only one.
    dataset->scratch = BUF_INIT(16 * (size_t)ROWS_MAX_ROW_BYTES);
    share_defaults(dataset);
    return dataset;
}

static void empty_cache(struct dataset *dataset)
{
    for (size_t i = 0; i < CACHED; i++) {
        json_decref(dataset->cached[i].row.fields);
        json_decref(dataset->cached[i].row.inputs);
    }
}

void dataset_free(struct dataset *dataset)
{
    if (dataset == NULL)
        return;
    empty_cache(dataset);
    while (dataset->blocks != NULL) {
        struct block *next = dataset->blocks->next;
        free(dataset->blocks);
        dataset->blocks = next;
    }
    for (size_t i = 0; i < dataset->n_files; i++) {
        free(dataset->files[i].name);
        free(dataset->files[i].path);
    }
    packed_release(&dataset->names);
    buf_release(&dataset->scratch);
    pthread_mutex_destroy(&dataset->lock);
    free(dataset->rows);
    free(dataset);
}

bool dataset_begin_file(struct dataset *dataset, const char *file,
                        const char *path)
{
    struct file entry = {.name = strdup(file), .path = strdup(path)};

    if (entry.name != NULL && entry.path != NULL &&
        dataset->n_files < DATASET_MAX_FILES) {
        dataset->files[dataset->n_files++] = entry;
        return true;
    }
    free(entry.name);
    free(entry.path);
    return false;
}

static bool make_room(struct dataset *dataset)
{
    size_t room = dataset->room == 0 ? 64 : dataset->room * 2;
    struct kept_row *rows;

    if (dataset->n < dataset->room)
        return true;
    rows = realloc(dataset->rows, room * sizeof *rows);
    if (rows == NULL)
        return false;
    dataset->rows = rows;
    dataset->room = room;
    return true;
}

// Returns room for len bytes that will not move. Returns NULL when out of
// memory.
static char *find_bytes(struct dataset *dataset, size_t len)
{
    struct block *block = dataset->blocks;
    size_t cap = len > BLOCK_BYTES / 8 ? len : BLOCK_BYTES;
    char *bytes;

    if (block == NULL || block->cap - block->len < len) {
        block = malloc(sizeof *block + cap);
        if (block == NULL)
            return NULL;
        *block = (struct block){.cap = cap, .next = dataset->blocks};
        // A block that is full right away goes after the one that still has
        // room.
        if (cap == len && dataset->blocks != NULL) {
            block->next = dataset->blocks->next;
            dataset->blocks->next = block;
        } else {
            dataset->blocks = block;
        }
    }
    bytes = block->bytes + block->len;
    block->len += len;
    return bytes;
}

// Computes the key of the row's inputs. Returns false when out of memory.
static bool key_inputs(const struct dataset *dataset, const json_t *fields,
                       struct buf *text, uint64_t *key)
{
    struct hash hash;

    buf_clear(text);
    for (size_t i = 0; i < dataset->program->n_inputs; i++) {
        const json_t *value =
            json_object_get(fields, dataset->program->inputs[i].name);
        json_put_sorted(text, value == NULL ? json_null() : value);
        buf_putc(text, '\n');
    }
    if (text->failed)
        return false;
    hash = hash_of("inputs", text->data, text->len);
    memcpy(key, hash.bytes, sizeof *key);
    return true;
}

bool dataset_put(struct dataset *dataset, const json_t *fields, int line)
{
    struct kept_row row = {.line = line,
                           .file = (uint8_t)(dataset->n_files - 1)};
    struct buf *scratch = &dataset->scratch;
    char *bytes;

    assert(dataset->n_files > 0);
    if (!key_inputs(dataset, fields, scratch, &row.inputs) ||
        !make_room(dataset))
        return false;
    buf_clear(scratch);
    packed_put(&dataset->names, fields, scratch);
    bytes = scratch->failed ? NULL : find_bytes(dataset, scratch->len);
    if (bytes == NULL)
        return false;
    memcpy(bytes, scratch->data, scratch->len);
    row.bytes = bytes;
    row.is_long = scratch->len > LONG_BYTES;
    dataset->rows[dataset->n++] = row;
    return true;
}

void dataset_skip(struct dataset *dataset, size_t n)
{
    dataset->skipped = n;
}

// --- reading ---

size_t dataset_size(const struct dataset *dataset)
{
    return dataset->n;
}

size_t dataset_skipped(const struct dataset *dataset)
{
    return dataset->skipped;
}

// Picks the program's inputs from the fields, in order. New reference; NULL
// when out of memory.
static json_t *inputs_of(const struct program *program, const json_t *fields)
{
    json_t *inputs = fields == NULL ? NULL : json_object();

    for (size_t i = 0; inputs != NULL && i < program->n_inputs; i++) {
        const struct field *input = &program->inputs[i];
        json_t *value = json_object_get(fields, input->name);

        if (value == NULL)
            value = input->default_value != NULL ? input->default_value
                                                 : json_null();
        if (json_object_set(inputs, input->name, value) != 0) {
            json_decref(inputs);
            inputs = NULL;
        }
    }
    return inputs;
}

static struct row hold(struct row row)
{
    (void)json_incref(row.fields);
    (void)json_incref(row.inputs);
    return row;
}

// Looks a row up in the cache. Returns false if it is not there.
static bool find_cached(struct dataset *dataset, size_t at, struct row *out)
{
    struct cached *place = &dataset->cached[at % CACHED];

    (void)pthread_mutex_lock(&dataset->lock);
    bool found = place->at == at && place->row.fields != NULL;
    if (found)
        *out = hold(place->row);
    (void)pthread_mutex_unlock(&dataset->lock);
    return found;
}

static void keep_cached(struct dataset *dataset, size_t at, struct row row)
{
    struct cached *place = &dataset->cached[at % CACHED];
    struct row before;

    (void)hold(row);
    (void)pthread_mutex_lock(&dataset->lock);
    before = place->row;
    *place = (struct cached){.at = at, .row = row};
    (void)pthread_mutex_unlock(&dataset->lock);
    json_decref(before.fields);
    json_decref(before.inputs);
}

bool dataset_row(const struct dataset *dataset, size_t row, struct row *out)
{
    // The cache is not part of the dataset's logical contents.
    struct dataset *whole = (struct dataset *)dataset;
    const struct kept_row *kept = &dataset->rows[row];

    assert(row < dataset->n);
    *out = (struct row){0};
    if (find_cached(whole, row, out))
        return true;
    out->fields = packed_get(&dataset->names, kept->bytes);
    out->inputs = inputs_of(dataset->program, out->fields);
    if (out->inputs == NULL) {
        json_decref(out->fields);
        *out = (struct row){0};
        return false;
    }
    if (!kept->is_long)
        keep_cached(whole, row, *out);
    return true;
}

json_t *dataset_fields(const struct dataset *dataset, size_t row)
{
    struct row both;

    (void)dataset_row(dataset, row, &both);
    json_decref(both.inputs);
    return both.fields;
}

json_t *dataset_inputs(const struct dataset *dataset, size_t row)
{
    struct row both;

    (void)dataset_row(dataset, row, &both);
    json_decref(both.fields);
    return both.inputs;
}

struct row_place dataset_place(const struct dataset *dataset, size_t row)
{
    const struct kept_row *kept = &dataset->rows[row];
    const struct file *file = &dataset->files[kept->file];

    assert(row < dataset->n);
    return (struct row_place){
        .file = file->name, .path = file->path, .line = kept->line};
}

bool dataset_same(const struct dataset *dataset, size_t a, size_t b)
{
    json_t *one, *other;
    bool same;

    if (a == b)
        return true;
    if (dataset->rows[a].inputs != dataset->rows[b].inputs)
        return false;
    one = dataset_fields(dataset, a);
    other = dataset_fields(dataset, b);
    same = one != NULL && other != NULL && json_equal(one, other);
    json_decref(one);
    json_decref(other);
    return same;
}

static int compare_keyed(const void *a, const void *b)
{
    const struct keyed_row *one = a;
    const struct keyed_row *other = b;

    if (one->inputs != other->inputs)
        return one->inputs < other->inputs ? -1 : 1;
    return one->row < other->row ? -1 : one->row > other->row;
}

struct keyed_row *dataset_by_inputs(const struct dataset *dataset)
{
    struct keyed_row *list = calloc(dataset->n + 1, sizeof *list);

    for (size_t i = 0; list != NULL && i < dataset->n; i++)
        list[i] =
            (struct keyed_row){.inputs = dataset->rows[i].inputs, .row = i};
    if (list != NULL)
        qsort(list, dataset->n, sizeof *list, compare_keyed);
    return list;
}
