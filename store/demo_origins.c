#include "store/demo_origins.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "store/folded.h"
#include "store/lookup_parts.h"
#include "store/query.h"

enum { VALUE_LEAST = 2 }; // bytes of a value that is looked for

// Runs of a step outside of scored trials, and the calls that filled in a
// demo's missing values.
static const char runs_sql[] =
    "SELECT c.id AS call, coalesce(q.text, '') || t.tail AS asked, t.reply"
    " FROM calls c JOIN call_texts t ON t.id = c.id"
    " LEFT JOIN questions q ON q.id = t.question_id"
    " WHERE c.kind_id IN (SELECT id FROM call_kinds WHERE purpose <> 'trial'"
    "   AND (step = ?2 OR purpose = 'fill'))"
    " ORDER BY c.job_no <> " JOB_NO ", c.id LIMIT 5000";

// Scored runs on rows that have one of the texts in ?3 as an input.
static const char scored_sql[] =
    "SELECT DISTINCT c.id AS call, coalesce(q.text, '') || t.tail AS asked,"
    "  t.reply FROM evaluations e, json_each(e.calls) i"
    " JOIN calls c ON c.id = i.value"
    " JOIN call_kinds k ON k.id = c.kind_id AND k.step = ?2"
    " JOIN call_texts t ON t.id = c.id"
    " LEFT JOIN questions q ON q.id = t.question_id"
    " WHERE e.job_no = " JOB_NO " AND e.row IN (SELECT x.row FROM examples x,"
    "   json_each(x.inputs) v WHERE x.job_no = " JOB_NO
    "   AND v.atom IN (SELECT value FROM json_each(?3)))"
    " ORDER BY c.id LIMIT 5000";

// These rows, as they are in the data.
static const char rows_sql[] =
    "SELECT DISTINCT x.inputs, x.labels FROM examples x, json_each(x.inputs) v"
    " WHERE x.job_no = " JOB_NO
    "  AND v.atom IN (SELECT value FROM json_each(?3)) AND ?2 <> '' LIMIT 5000";

// Replaces the messages that were sent ("...,{}]") by their last turn, so that
// a demo in an earlier turn does not count as a question.
static void read_questions(json_t *rows)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        const char *sent = json_get_text(row, "asked", "");
        struct buf whole = BUF_INIT(FOLDED_MAX_BYTES);
        struct err ignored = ERR_CLEAR;
        json_t *turns = NULL;

        buf_printf(&whole, sent[0] == ',' ? "[{}%s" : "%s", sent);
        if (!whole.failed)
            turns =
                json_parse(whole.data, whole.len, FOLDED_MAX_BYTES, &ignored);
        (void)json_object_set_new(
            row, "asked",
            json_string(json_get_text(
                json_array_get(turns, json_array_size(turns) == 0
                                          ? 0
                                          : json_array_size(turns) - 1),
                "content", "")));
        json_decref(turns);
        buf_release(&whole);
    }
}

// Writes a value as it appears in prompts and replies.
static void put_value(struct buf *out, const json_t *value)
{
    buf_clear(out);
    buf_puts(out, "");
    if (json_is_string(value))
        folded_put(out, json_string_value(value), json_string_length(value));
    else if (json_is_number(value))
        buf_printf(out, "%g", json_number_value(value));
}

// Returns true if the call is about what the demo shows: each of the demo's
// values appears in the question or in the reply, and at least one in each.
static bool is_about(const json_t *run, const json_t *demo)
{
    struct buf text = BUF_INIT(FOLDED_MAX_BYTES);
    size_t asked = 0, given = 0, missing = 0;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)demo, name, value) {
        put_value(&text, value);
        if (text.failed || text.len < VALUE_LEAST)
            continue;
        if (strstr(json_get_text(run, "asked", ""), text.data) != NULL)
            asked++;
        else if (strstr(json_get_text(run, "reply", ""), text.data) != NULL)
            given++;
        else
            missing++;
    }
    buf_release(&text);
    return asked > 0 && given > 0 && missing == 0;
}

static json_t *find_run(const json_t *runs, const json_t *demo)
{
    for (size_t i = 0; i < json_array_size(runs); i++)
        if (is_about(json_array_get(runs, i), demo))
            return json_integer(
                json_get_int(json_array_get(runs, i), "call", 0));
    return json_null();
}

static json_t *read_runs(struct store *store, const char *sql,
                         const char *const *args, size_t n, struct err *err)
{
    json_t *runs = query_rows(store, sql, args, n, err);

    read_questions(runs);
    if (folded_rows(runs, "asked", err) && folded_rows(runs, "reply", err))
        return runs;
    json_decref(runs);
    return NULL;
}

static bool has_value(const json_t *object, const json_t *value)
{
    const char *name;
    json_t *one;

    json_object_foreach((json_t *)object, name, one) {
        if (json_equal(one, value))
            return true;
    }
    return false;
}

// Returns true if a single row of the data contains the whole demo.
static bool is_from_data(const json_t *rows, const json_t *demo)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        bool whole = true;
        const char *name;
        json_t *value;

        json_object_foreach((json_t *)demo, name, value) {
            whole =
                whole && (has_value(json_object_get(row, "inputs"), value) ||
                          has_value(json_object_get(row, "labels"), value));
        }
        if (whole)
            return true;
    }
    return false;
}

// Returns the texts of demos whose call was not found.
static char *texts_to_find(const json_t *demos, const json_t *calls)
{
    json_t *texts = json_array();
    char *text = NULL;
    const char *name;
    json_t *value;

    for (size_t i = 0; i < json_array_size(demos); i++)
        json_object_foreach(json_array_get(demos, i), name, value) {
            if (json_is_null(json_array_get(calls, i)) && json_is_string(value))
                (void)json_array_append(texts, value);
        }
    if (json_array_size(texts) > 0)
        text = json_text(texts);
    json_decref(texts);
    return text;
}

// Looks for the missing calls among the scored runs. Returns false on failure.
static bool find_scored(struct store *store, const char *const *args,
                        const json_t *demos, json_t *calls, struct err *err)
{
    json_t *rows = query_rows(store, rows_sql, args, 3, err);
    json_t *runs =
        rows == NULL ? NULL : read_runs(store, scored_sql, args, 3, err);
    bool ok = runs != NULL;

    lookup_parse(rows, "inputs");
    lookup_parse(rows, "labels");
    for (size_t i = 0; ok && i < json_array_size(demos); i++) {
        const json_t *demo = json_array_get(demos, i);

        if (json_is_null(json_array_get(calls, i)) && !is_from_data(rows, demo))
            (void)json_array_set_new(calls, i, find_run(runs, demo));
    }
    json_decref(rows);
    json_decref(runs);
    return ok;
}

json_t *demo_origins(struct store *store, const char *id, const char *step,
                     const json_t *demos, struct err *err)
{
    const char *args[] = {id, step, NULL};
    json_t *calls = json_array();
    json_t *runs;
    char *texts;
    bool ok;

    if (json_array_size(demos) == 0)
        return calls;
    runs = read_runs(store, runs_sql, args, 2, err);
    for (size_t i = 0; runs != NULL && i < json_array_size(demos); i++)
        (void)json_array_append_new(calls,
                                    find_run(runs, json_array_get(demos, i)));
    ok = runs != NULL;
    texts = ok ? texts_to_find(demos, calls) : NULL;
    args[2] = texts;
    if (texts != NULL)
        ok = find_scored(store, args, demos, calls, err);
    free(texts);
    json_decref(runs);
    if (!ok) {
        json_decref(calls);
        calls = NULL;
    }
    return calls;
}
