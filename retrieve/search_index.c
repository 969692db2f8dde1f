#include "retrieve/search_index.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/words.h"
#include "retrieve/passage.h"

enum {
    SQL_MAX_BYTES = 1 << 20,
    WORDS_MAX_BYTES = 2 * PASSAGE_MAX_BYTES, // a 3-byte character gets a blank
};

struct search_index {
    json_t *documents; // a reference; owned
    json_t *columns;   // {field: its number}; owned
    sqlite3 *db;       // in memory; owned
    sqlite3_stmt *find;
};

static bool trouble(struct search_index *index, struct err *err)
{
    err_set(err, ERR_STORE, "the documents cannot be indexed: %.120s",
            index->db == NULL ? "no memory" : sqlite3_errmsg(index->db));
    return false;
}

// --- making it ---

static bool list_columns(struct search_index *index, struct err *err)
{
    for (size_t i = 0; i < json_array_size(index->documents); i++) {
        json_t *document = json_array_get(index->documents, i);

        for (void *at = json_object_iter(document); at != NULL;
             at = json_object_iter_next(document, at)) {
            const char *name = json_object_iter_key(at);
            json_int_t n = (json_int_t)json_object_size(index->columns);

            if (json_object_get(index->columns, name) == NULL &&
                json_object_set_new(index->columns, name, json_integer(n)) !=
                    0) {
                err_nomem(err, "an index of documents");
                return false;
            }
        }
    }
    return true;
}

// Fields may have any name, so the table calls them c0, c1, ...
static bool create(struct search_index *index, struct err *err)
{
    struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    size_t n = json_object_size(index->columns);

    buf_puts(&sql, "CREATE VIRTUAL TABLE d USING fts5(");
    for (size_t i = 0; i < n; i++)
        buf_printf(&sql, "c%zu,", i);
    buf_puts(&sql, "tokenize=\"unicode61 remove_diacritics 2\")");
    bool ok = buf_ok(&sql, "the fields of the documents", err);
    if (ok && sqlite3_exec(index->db, sql.data, NULL, NULL, NULL) != SQLITE_OK)
        ok = trouble(index, err);
    buf_release(&sql);
    return ok;
}

static bool prepare_insert(struct search_index *index, sqlite3_stmt **insert,
                           struct err *err)
{
    struct buf sql = BUF_INIT(SQL_MAX_BYTES);
    size_t n = json_object_size(index->columns);

    buf_puts(&sql, "INSERT INTO d(rowid");
    for (size_t i = 0; i < n; i++)
        buf_printf(&sql, ",c%zu", i);
    buf_puts(&sql, ") VALUES(?1");
    for (size_t i = 0; i < n; i++)
        buf_printf(&sql, ",?%zu", i + 2);
    buf_puts(&sql, ")");
    bool ok = buf_ok(&sql, "the fields of the documents", err);
    if (ok &&
        sqlite3_prepare_v2(index->db, sql.data, -1, insert, NULL) != SQLITE_OK)
        ok = trouble(index, err);
    buf_release(&sql);
    return ok;
}

// Binds the words of a text, separated by blanks, so that FTS5 splits them as
// we do.
static bool bind_words(struct search_index *index, sqlite3_stmt *insert, int at,
                       const json_t *text, struct err *err)
{
    struct buf words = BUF_INIT(WORDS_MAX_BYTES);

    words_put_spaced(json_string_value(text), json_string_length(text), &words);
    int len = (int)words.len;
    char *taken = buf_ok(&words, "a document", err) ? buf_take(&words) : NULL;
    buf_release(&words);
    if (taken == NULL) {
        if (err->code == ERR_NONE)
            err_nomem(err, "a document");
        return false;
    }
    return sqlite3_bind_text(insert, at, taken, len, free) == SQLITE_OK ||
           trouble(index, err);
}

static bool insert_document(struct search_index *index, sqlite3_stmt *insert,
                            size_t i, struct err *err)
{
    json_t *document = json_array_get(index->documents, i);
    bool ok = sqlite3_bind_int64(insert, 1, (sqlite3_int64)i) == SQLITE_OK ||
              trouble(index, err);

    for (void *at = json_object_iter(document); ok && at != NULL;
         at = json_object_iter_next(document, at)) {
        json_int_t column = json_integer_value(
            json_object_get(index->columns, json_object_iter_key(at)));

        ok = bind_words(index, insert, (int)column + 2,
                        json_object_iter_value(at), err);
    }
    if (ok && sqlite3_step(insert) != SQLITE_DONE)
        ok = trouble(index, err);
    (void)sqlite3_reset(insert);
    (void)sqlite3_clear_bindings(insert);
    return ok;
}

static bool fill(struct search_index *index, struct err *err)
{
    sqlite3_stmt *insert = NULL;
    bool ok = prepare_insert(index, &insert, err);

    if (ok && sqlite3_exec(index->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        ok = trouble(index, err);
    for (size_t i = 0; ok && i < json_array_size(index->documents); i++)
        ok = insert_document(index, insert, i, err);
    if (ok && sqlite3_exec(index->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        ok = trouble(index, err);
    (void)sqlite3_finalize(insert);
    return ok;
}

struct search_index *search_index_new(json_t *documents, struct err *err)
{
    static const char sql[] =
        "SELECT rowid FROM d WHERE d MATCH ?1 ORDER BY bm25(d), rowid LIMIT ?2";
    struct search_index *index = calloc(1, sizeof *index);
    bool ok = false;

    if (index == NULL) {
        err_nomem(err, "an index of documents");
        return NULL;
    }
    index->documents = json_incref(documents);
    index->columns = json_object();
    if (index->columns == NULL)
        err_nomem(err, "an index of documents");
    else if (sqlite3_open(":memory:", &index->db) != SQLITE_OK)
        (void)trouble(index, err);
    else
        ok = list_columns(index, err) && create(index, err) && fill(index, err);
    if (ok &&
        sqlite3_prepare_v2(index->db, sql, -1, &index->find, NULL) != SQLITE_OK)
        ok = trouble(index, err);
    if (ok)
        return index;
    search_index_free(index);
    return NULL;
}

void search_index_free(struct search_index *index)
{
    if (index == NULL)
        return;
    (void)sqlite3_finalize(index->find);
    (void)sqlite3_close(index->db);
    json_decref(index->columns);
    json_decref(index->documents);
    free(index);
}

const json_t *search_index_documents(const struct search_index *index)
{
    return index->documents;
}

// --- a query ---

// Appends {c0 c2}, the columns to search. Returns false if none of them exists.
static bool put_columns(const struct search_index *index, const json_t *fields,
                        struct buf *out)
{
    size_t n = json_is_string(fields) ? 1 : json_array_size(fields);
    bool any = false;

    if (fields == NULL || json_is_null(fields))
        return true;
    buf_putc(out, '{');
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(
            json_is_string(fields) ? fields : json_array_get(fields, i));
        const json_t *column =
            name == NULL ? NULL : json_object_get(index->columns, name);

        if (column == NULL)
            continue;
        buf_printf(out, "%sc%lld", any ? " " : "",
                   (long long)json_integer_value(column));
        any = true;
    }
    buf_puts(out, "} : ");
    return any;
}

// Appends "word" OR "word" ... The quotes keep anything in a query from being
// an operator. Two characters of a script without spaces become a phrase: "退
// 款".
static size_t put_terms(const char *query, struct buf *out)
{
    struct words words = {.text = query, .len = strlen(query)};
    struct word term;
    size_t n = 0;

    buf_putc(out, '(');
    for (; n < SEARCH_MAX_TERMS && words_next_term(&words, &term); n++) {
        buf_puts(out, n > 0 ? " OR \"" : "\"");
        words_put_spaced(term.text, term.len, out);
        buf_putc(out, '"');
    }
    buf_putc(out, ')');
    return n;
}

static json_t *passage_of(json_t *document)
{
    struct buf text = BUF_INIT(PASSAGE_MAX_BYTES);
    json_t *passage = NULL;

    passage_put(document, NULL, &text);
    if (!text.failed)
        passage = json_stringn(text.data == NULL ? "" : text.data, text.len);
    buf_release(&text);
    return passage;
}

static bool collect(struct search_index *index, size_t *out, size_t *n,
                    struct err *err)
{
    int status;

    while ((status = sqlite3_step(index->find)) == SQLITE_ROW)
        out[(*n)++] = (size_t)sqlite3_column_int64(index->find, 0);
    return status == SQLITE_DONE || trouble(index, err);
}

bool search_index_rank(struct search_index *index, const char *query,
                       const json_t *fields, size_t k, size_t *out, size_t *n,
                       struct err *err)
{
    struct buf match = BUF_INIT(SQL_MAX_BYTES);
    bool any =
        put_columns(index, fields, &match) && put_terms(query, &match) > 0;
    bool ok = buf_ok(&match, "a query", err);

    *n = 0;
    if (ok && any) {
        ok = (sqlite3_bind_text(index->find, 1, match.data, (int)match.len,
                                SQLITE_STATIC) == SQLITE_OK &&
              sqlite3_bind_int64(index->find, 2, (sqlite3_int64)k) ==
                  SQLITE_OK) ||
             trouble(index, err);
        ok = ok && collect(index, out, n, err);
        (void)sqlite3_reset(index->find);
    }
    buf_release(&match);
    return ok;
}

json_t *search_index_passages(const struct search_index *index,
                              const size_t *found, size_t n, struct err *err)
{
    json_t *list = json_array();
    bool ok = list != NULL;

    for (size_t i = 0; ok && i < n; i++)
        ok = json_array_append_new(list, passage_of(json_array_get(
                                             index->documents, found[i]))) == 0;
    if (ok)
        return list;
    json_decref(list);
    err_nomem(err, "passages");
    return NULL;
}

json_t *search_index_find(struct search_index *index, const char *query,
                          const json_t *fields, int64_t k, struct err *err)
{
    size_t all = json_array_size(index->documents);
    size_t most = k < 0 ? 0 : (uint64_t)k < all ? (size_t)k : all;
    size_t *found = calloc(most + 1, sizeof *found);
    json_t *list = NULL;
    size_t n = 0;

    if (found == NULL)
        err_nomem(err, "passages");
    else if (search_index_rank(index, query, fields, most, found, &n, err))
        list = search_index_passages(index, found, n, err);
    free(found);
    return list;
}
