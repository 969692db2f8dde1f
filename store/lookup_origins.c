// Which calls a candidate's prompts came from: the calls in which the teacher
// wrote the sentences of an instruction, and the calls whose replies its demos
// show.
//
// Nothing is recorded about this while a job runs; it is found in the stored
// texts of the calls. A sentence came from the teacher's first call that wrote
// it. A demo came from a call about the same inputs whose reply contains its
// other values. Text from the original program, from promptcc's own wording, or
// from the data has no call. The calls of scored trials count only for demos
// that say more than a row of the data.

#include "store/lookup_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/words.h"
#include "store/query.h"

enum {
    SENTENCE_LEAST = 16, // bytes; anybody might have written a shorter one
    VALUE_LEAST = 2,
    TEXT_BYTES = 8 << 20,
};

#define JOB_NO "(SELECT no FROM jobs WHERE id = ?1)"

static const char parts_sql[] =
    "SELECT step, instruction_number, instruction, demos FROM v_candidates"
    " WHERE job = ?1 AND candidate = CAST(?2 AS INTEGER)";

// The same for the original program.
static const char written_sql[] =
    "SELECT step, instruction FROM v_candidates WHERE job = ?1"
    " AND candidate = (SELECT candidate_id FROM trials WHERE job_no = " JOB_NO
    "  AND kind = 'baseline' ORDER BY number LIMIT 1)";

// Everything the teacher was asked outside of the program's steps. A call may
// have been paid for by another job of the store.
static const char teacher_calls_sql[] =
    "SELECT c.id AS call, t.reply FROM calls c"
    " JOIN call_texts t ON t.id = c.id"
    " WHERE c.kind_id IN (SELECT id FROM call_kinds WHERE role = 'teacher'"
    "   AND purpose NOT IN ('trial', 'bootstrap', 'fill', 'sample', 'metric'))"
    " ORDER BY c.job_no <> " JOB_NO ", c.id LIMIT 5000";

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

// --- text ---

// Appends text as one line, because the space between words varies.
static void put_folded(struct buf *out, const char *text, size_t len)
{
    bool space = true;

    for (size_t i = 0; i < len; i++) {
        bool blank = strchr(" \t\r\n", text[i]) != NULL;

        if (!blank)
            buf_putc(out, text[i]);
        else if (!space)
            buf_putc(out, ' ');
        space = blank;
    }
}

// Turns member `key` of each row into one line. Returns false when out of
// memory.
static bool fold(json_t *rows, const char *key, struct err *err)
{
    struct buf text = BUF_INIT(TEXT_BYTES);
    bool ok = rows != NULL;

    for (size_t i = 0; ok && i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        const char *given = json_get_text(row, key, "");

        buf_clear(&text);
        buf_puts(&text, "");
        put_folded(&text, given, strlen(given));
        ok = buf_ok(&text, "a text", err) &&
             json_object_set_new(row, key, json_stringn(text.data, text.len)) ==
                 0;
    }
    buf_release(&text);
    return ok;
}

// Replaces the messages that were sent ("...,{}]") by their last turn, so that
// a demo in an earlier turn does not count as a question.
static void read_questions(json_t *rows)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        const char *sent = json_get_text(row, "asked", "");
        struct buf whole = BUF_INIT(TEXT_BYTES);
        struct err ignored = ERR_CLEAR;
        json_t *turns = NULL;

        buf_printf(&whole, sent[0] == ',' ? "[{}%s" : "%s", sent);
        if (!whole.failed)
            turns = json_parse(whole.data, whole.len, TEXT_BYTES, &ignored);
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

// --- instructions ---

// Appends the call to list, unless it is already there.
static void add_call(json_t *list, json_int_t call)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_integer_value(json_array_get(list, i)) == call)
            return;
    (void)json_array_append_new(list, json_integer(call));
}

// Returns the length in bytes of the next sentence of a line.
static size_t sentence_length(const char *text)
{
    size_t len = strlen(text);

    for (size_t at = 0; at < len; at++) {
        size_t stop = words_sentence_end(text + at, len - at);

        if (stop > 0)
            return at + stop;
    }
    return len;
}

static json_int_t find_author(const json_t *teacher_calls, const char *sentence)
{
    for (size_t i = 0; i < json_array_size(teacher_calls); i++) {
        const json_t *teacher_call = json_array_get(teacher_calls, i);

        if (strstr(json_get_text(teacher_call, "reply", ""), sentence) != NULL)
            return json_get_int(teacher_call, "call", 0);
    }
    return 0;
}

// Lists the calls that wrote those sentences of the instruction that are not in
// the original program, in the instruction's order.
static json_t *find_authors(const json_t *teacher_calls,
                            const char *instruction, const char *written,
                            struct err *err)
{
    struct buf line = BUF_INIT(TEXT_BYTES), before = BUF_INIT(TEXT_BYTES);
    json_t *calls = json_array();

    put_folded(&line, instruction, strlen(instruction));
    put_folded(&before, written, strlen(written));
    buf_puts(&line, "");
    buf_puts(&before, "");
    if (!buf_ok(&line, "an instruction", err) ||
        !buf_ok(&before, "an instruction", err)) {
        json_decref(calls);
        calls = NULL;
    }
    for (char *at = line.data; calls != NULL && *at != '\0';) {
        size_t len = sentence_length(at);
        char next = at[len];
        json_int_t call = 0;

        at[len] = '\0';
        if (len >= SENTENCE_LEAST && strstr(before.data, at) == NULL)
            call = find_author(teacher_calls, at);
        if (call != 0)
            add_call(calls, call);
        at[len] = next;
        at += len;
        at += strspn(at, " ");
    }
    buf_release(&line);
    buf_release(&before);
    return calls;
}

// --- demos ---

// Writes a value as it appears in prompts and replies.
static void put_value(struct buf *out, const json_t *value)
{
    buf_clear(out);
    buf_puts(out, "");
    if (json_is_string(value))
        put_folded(out, json_string_value(value), json_string_length(value));
    else if (json_is_number(value))
        buf_printf(out, "%g", json_number_value(value));
}

// Returns true if the call is about what the demo shows: each of the demo's
// values appears in the question or in the reply, and at least one in each.
static bool is_about(const json_t *run, const json_t *demo)
{
    struct buf text = BUF_INIT(TEXT_BYTES);
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
    if (fold(runs, "asked", err) && fold(runs, "reply", err))
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

// Returns a call or null for each demo.
static json_t *find_runs(struct store *store, const char *id, const char *step,
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

// --- the answer ---

// Returns the step's original instruction, from the baseline's parts.
static const char *original_instruction(const json_t *baseline,
                                        const char *step)
{
    for (size_t i = 0; i < json_array_size(baseline); i++)
        if (strcmp(json_get_text(json_array_get(baseline, i), "step", ""),
                   step) == 0)
            return json_get_text(json_array_get(baseline, i), "instruction",
                                 "");
    return "";
}

static json_t *part_origins(struct store *store, const char *id,
                            const json_t *part, const json_t *teacher_calls,
                            const json_t *baseline, struct err *err)
{
    const char *step = json_get_text(part, "step", "");
    json_t *written =
        json_get_int(part, "instruction_number", 0) == 0
            ? json_array()
            : find_authors(teacher_calls,
                           json_get_text(part, "instruction", ""),
                           original_instruction(baseline, step), err);
    json_t *demos =
        written == NULL
            ? NULL
            : find_runs(store, id, step, json_object_get(part, "demos"), err);

    if (demos != NULL)
        return json_pack("{s:s, s:o, s:o}", "step", step, "instruction",
                         written, "demos", demos);
    json_decref(written);
    return NULL;
}

json_t *lookup_origins(struct store *store, const char *id,
                       const json_t *argument, struct err *err)
{
    int64_t candidate = lookup_candidate_or_best(store, id, argument, err);
    json_t *parts = NULL, *teacher_calls = NULL, *baseline = NULL;
    json_t *list = json_array();
    bool ok;

    if (candidate != 0)
        parts = lookup_rows(store, parts_sql,
                            &(struct lookup_values){id, candidate}, err);
    if (parts != NULL)
        baseline =
            lookup_rows(store, written_sql, &(struct lookup_values){id}, err);
    if (baseline != NULL)
        teacher_calls = lookup_rows(store, teacher_calls_sql,
                                    &(struct lookup_values){id}, err);
    ok = teacher_calls != NULL && fold(teacher_calls, "reply", err);
    lookup_parse(parts, "demos");
    for (size_t i = 0; ok && i < json_array_size(parts); i++) {
        json_t *part = part_origins(store, id, json_array_get(parts, i),
                                    teacher_calls, baseline, err);

        ok = part != NULL && json_array_append_new(list, part) == 0;
    }
    json_decref(parts);
    json_decref(teacher_calls);
    json_decref(baseline);
    if (ok)
        return json_pack("{s:I, s:o}", "candidate", (json_int_t)candidate,
                         "parts", list);
    json_decref(list);
    return NULL;
}
