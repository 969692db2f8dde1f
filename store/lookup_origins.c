// Which calls a candidate's prompts came from: the calls in which the teacher
// wrote the sentences of an instruction, and the calls whose replies its demos
// show.
//
// Nothing is recorded about this while a job runs; it is found in the stored
// texts of the calls. A sentence came from the teacher's first call that wrote
// it; where a demo came from is told in demo_origins.h. Text from the original
// program or from promptcc's own wording has no call.

#include "store/lookup_parts.h"

#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/words.h"
#include "store/demo_origins.h"
#include "store/folded.h"

// Bytes; anybody might have written a shorter one.
enum { SENTENCE_LEAST = 16 };

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
    struct buf line = BUF_INIT(FOLDED_MAX_BYTES),
               before = BUF_INIT(FOLDED_MAX_BYTES);
    json_t *calls = json_array();

    folded_put(&line, instruction, strlen(instruction));
    folded_put(&before, written, strlen(written));
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
    json_t *demos = written == NULL
                        ? NULL
                        : demo_origins(store, id, step,
                                       json_object_get(part, "demos"), err);

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
    ok = teacher_calls != NULL && folded_rows(teacher_calls, "reply", err);
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
