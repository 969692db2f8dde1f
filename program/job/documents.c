#include "program/job/documents.h"

#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/json.h"
#include "common/utf8.h"
#include "program/graph/search_spec.h"
#include "program/job/rows.h"

// --- files of a folder ---

// Returns the part of a file's name after "FOLDER/"; NULL if the file is
// elsewhere, or in a subfolder.
static const char *name_in(const struct bundle_file *file, const char *folder)
{
    size_t len = strlen(folder);

    return strncmp(file->name, folder, len) == 0 && file->name[len] == '/' &&
                   strchr(file->name + len + 1, '/') == NULL
               ? file->name + len + 1
               : NULL;
}

static int compare_files(const void *a, const void *b)
{
    const struct bundle_file *const *x = a;
    const struct bundle_file *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

// Lists the files of the documents in the order of their names: one file, or
// those of a folder.
static size_t list_files(const struct bundle *bundle, const char *name,
                         const struct bundle_file *out[BUNDLE_MAX_FILES])
{
    size_t n = 0;

    for (size_t i = 0; i < bundle->n_files; i++) {
        const struct bundle_file *file = &bundle->files[i];

        if (strcmp(file->name, name) == 0 || name_in(file, name) != NULL)
            out[n++] = file;
    }
    qsort(out, n, sizeof *out, compare_files);
    return n;
}

// --- a document ---

// Returns the value as a text. New reference; NULL when out of memory.
static json_t *as_text(const json_t *value)
{
    char *text = NULL;
    json_t *made = NULL;

    if (json_is_string(value))
        return json_incref((json_t *)value);
    text = json_text(value);
    made = text == NULL ? NULL : json_string(text);
    free(text);
    return made;
}

static bool set_text(json_t *document, const char *key, const json_t *value,
                     struct err *err)
{
    if (json_is_null(value) ||
        json_object_set_new(document, key, as_text(value)) == 0)
        return true;
    err_nomem(err, "the documents");
    return false;
}

static size_t bytes_of(const json_t *document)
{
    size_t bytes = 0;

    for (void *at = json_object_iter((json_t *)document); at != NULL;
         at = json_object_iter_next((json_t *)document, at))
        bytes += json_string_length(json_object_iter_value(at));
    return bytes;
}

// Takes over a document whose values may be of any type. Returns NULL when out
// of memory, or with err.
static json_t *document_of(json_t *given, struct err *err)
{
    json_t *document = json_object();

    if (json_object_size(given) == 0 ||
        json_object_size(given) > DOCUMENT_MAX_FIELDS) {
        err_set(err, ERR_INPUT, "a document must have 1 to %d fields",
                DOCUMENT_MAX_FIELDS);
        json_decref(document);
        return NULL;
    }
    for (void *at = json_object_iter(given); document != NULL && at != NULL;
         at = json_object_iter_next(given, at)) {
        if (set_text(document, json_object_iter_key(at),
                     json_object_iter_value(at), err))
            continue;
        json_decref(document);
        document = NULL;
    }
    return document;
}

// Takes document. If it is NULL, memory ran out, or err says why there is none.
static bool add_document(json_t *list, json_t *document, struct err *err)
{
    if (document == NULL && err->code == ERR_NONE)
        err_nomem(err, "the documents");
    if (document == NULL)
        return false;
    if (json_array_size(list) == DOCUMENTS_MAX) {
        json_decref(document);
        err_set(err, ERR_LIMIT, "there are more than %d documents",
                DOCUMENTS_MAX);
        return false;
    }
    if (json_array_append_new(list, document) == 0)
        return true;
    err_nomem(err, "the documents");
    return false;
}

// Documents are tables only by name: the first line of a file of plain words
// would otherwise be taken for the names of columns.
static bool check_form(const struct rows *rows, const char *name,
                       struct err *err)
{
    static const char *const tables[] = {".csv", ".tsv", ".tab", NULL};

    if (!rows_is_table(rows) || rows_name_ends(name, tables))
        return true;
    err_set(err, ERR_INPUT,
            "these are not JSON lines: write one object per document, or name "
            "a table that ends in .csv or .tsv, or a folder of text files");
    return false;
}

static bool add_row(json_t *list, const struct rows *rows, struct err *err)
{
    json_t *document = document_of(rows_fields(rows), err);

    if (document != NULL && bytes_of(document) > DOCUMENT_MAX_BYTES) {
        json_decref(document);
        document = NULL;
        err_set(err, ERR_INPUT, "a document is longer than %d MiB: split it",
                DOCUMENT_MAX_BYTES >> 20);
    }
    return add_document(list, document, err);
}

// Adds the documents of a file in any form that data may have.
static bool add_rows(json_t *list, const struct bundle_file *file,
                     struct err *err)
{
    const struct rows_input input = {
        .name = file->name, .data = file->data, .len = file->len};
    struct err why = ERR_CLEAR;
    struct rows *rows = rows_open(&input, &why);
    bool ok = rows != NULL && check_form(rows, file->name, &why);
    enum rows_step step = ROWS_BLANK;

    if (!ok)
        err_set(err, why.code, "%s: %s", FILE_SHOWN(file->name, 100), why.text);
    while (ok && step != ROWS_END) {
        step = rows_next(rows, &why);
        ok = step == ROWS_BLANK || step == ROWS_END ||
             (step == ROWS_ROW && add_row(list, rows, &why));
        if (!ok)
            err_set(err, why.code, "%s:%d: %s", FILE_SHOWN(file->name, 100),
                    rows_line(rows), why.text);
    }
    rows_close(rows);
    return ok;
}

static bool is_text(const char *text, size_t len)
{
    uint32_t code = 0;
    size_t step = 1;

    for (size_t i = 0; step > 0 && i < len; i += step)
        step = utf8_next(text + i, len - i, &code);
    return step > 0;
}

static bool add_file(json_t *list, const struct bundle_file *file,
                     const char *name, struct err *err)
{
    const char *dot = strrchr(name, '.');
    size_t len = dot == NULL ? strlen(name) : (size_t)(dot - name);

    if (file->len > DOCUMENT_MAX_BYTES || !is_text(file->data, file->len)) {
        err_set(err, ERR_INPUT, "%s: %s", FILE_SHOWN(file->name, 100),
                file->len > DOCUMENT_MAX_BYTES
                    ? "a document is longer than 1 MiB: split it"
                    : "a document is not UTF-8 text: convert it, or move it "
                      "out of the folder");
        return false;
    }
    return add_document(list,
                        json_pack("{s:s%, s:s%}", "name", name, len, "text",
                                  file->data, file->len),
                        err);
}

json_t *documents_read(struct bundle *bundle, const char *name, struct err *err)
{
    const struct bundle_file *files[BUNDLE_MAX_FILES];
    json_t *list = NULL;
    size_t bytes = 0;
    bool ok = bundle_get_all(bundle, name, err);
    size_t n = ok ? list_files(bundle, name, files) : 0;

    for (size_t i = 0; i < n; i++)
        bytes += files[i]->len;
    if (ok && bytes > DOCUMENTS_MAX_BYTES) {
        err_set(err, ERR_LIMIT, "the documents %s are longer than %d MiB",
                FILE_SHOWN(name, 100), DOCUMENTS_MAX_BYTES >> 20);
        ok = false;
    }
    list = json_array();
    for (size_t i = 0; ok && list != NULL && i < n; i++) {
        const char *inner = name_in(files[i], name);

        ok = inner == NULL ? add_rows(list, files[i], err)
                           : add_file(list, files[i], inner, err);
    }
    if (list == NULL)
        err_nomem(err, "the documents");
    if (ok && list != NULL && json_array_size(list) == 0) {
        err_set(err, ERR_INPUT, "%.100s contains no documents", name);
        ok = false;
    }
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}

// --- the fields that steps search ---

static bool has_field(const json_t *documents, const char *field)
{
    for (size_t i = 0; i < json_array_size(documents); i++)
        if (json_object_get(json_array_get(documents, i), field) != NULL)
            return true;
    return false;
}

bool documents_check_fields(const json_t *documents, const json_t *fields,
                            struct err *err)
{
    size_t n = json_is_string(fields) ? 1 : json_array_size(fields);

    for (size_t i = 0; i < n; i++) {
        const char *field = json_string_value(
            json_is_string(fields) ? fields : json_array_get(fields, i));

        if (has_field(documents, field))
            continue;
        err_set(err, ERR_INPUT, "no document has a field `%.60s` to search",
                field);
        return false;
    }
    return true;
}

void documents_hash(const struct program *program, const struct bundle *bundle,
                    struct hasher *hasher)
{
    const struct bundle_file *files[BUNDLE_MAX_FILES];

    for (size_t i = 0; i < program->n_steps; i++) {
        const struct search_spec *spec = program->steps[i].search;
        size_t n =
            spec == NULL ? 0 : list_files(bundle, spec->documents, files);

        for (size_t f = 0; f < n; f++) {
            hasher_add_text(hasher, files[f]->name);
            hasher_add(hasher, files[f]->data, files[f]->len);
        }
    }
}
