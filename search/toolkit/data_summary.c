#include "search/toolkit/data_summary.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/text.h"
#include "common/utf8.h"
#include "search/toolkit/teacher.h"

enum {
    ROW_BYTES = 800, // shown of each example
    BATCH_MAX_BYTES = 1 << 20,
    NOTES_MAX_BYTES = 12000, // further notes are dropped
    DRAW_SUMMARY = 99,
};

static const double TEMPERATURE = 1.0;

struct summary {
    struct session *session;
    struct form observe;
    struct form conclude;
    struct buf notes;
    int skips; // batches about which there was nothing to add
    bool over; // it is useless to show more
};

// Some rows that are shown together.
struct batch {
    const size_t *rows;
    size_t n;
    int64_t number;
};

static bool init_forms(struct summary *summary, struct err *err)
{
    const struct field shown[] = {
        form_text("examples", "Examples of the data, one a line"),
        form_text("prior_observations",
                  "What was noted about earlier examples; may be empty"),
    };
    const struct field noted =
        form_text("observations", "What these examples add to the notes, or "
                                  "the one word COMPLETE");
    const struct field notes =
        form_text("observations", "Notes on the examples of a data set");
    const struct field result = form_text("summary", "Two or three sentences");

    const struct single_step observe = {
        .name = "observe",
        .instruction =
            "Look at these examples of a data set and note what holds for most "
            "of them: the subject, the kind of task, how inputs are written "
            "and how long they are, how the labels depend on them, and what is "
            "easily mistaken. Do not repeat the earlier notes. Answer COMPLETE "
            "when nothing can be added to them.",
        .inputs = shown,
        .n_inputs = 2,
        .outputs = &noted,
        .n_outputs = 1};
    const struct single_step conclude = {
        .name = "summarize",
        .instruction =
            "Sum these notes up in two or three sentences that tell somebody "
            "who has never seen the data what matters most for doing the task "
            "well.",
        .inputs = &notes,
        .n_inputs = 1,
        .outputs = &result,
        .n_outputs = 1};

    return form_init(&summary->observe, &observe, err) &&
           form_init(&summary->conclude, &conclude, err);
}

static void put_row(struct buf *out, const json_t *fields)
{
    struct buf line = BUF_INIT(BATCH_MAX_BYTES);

    json_put(&line, fields);
    if (!line.failed && line.data != NULL) {
        size_t len = line.len;
        if (len > ROW_BYTES)
            len = utf8_cut(line.data, ROW_BYTES);
        buf_append(out, line.data, len);
        buf_puts(out, len < line.len ? "...\n" : "\n");
    }
    if (line.failed) {
        out->failed = true;
        out->no_memory = line.no_memory;
    }
    buf_release(&line);
}

static json_t *observe_inputs(const struct summary *summary,
                              const struct buf *examples)
{
    const char *notes = summary->notes.data != NULL ? summary->notes.data : "";
    const char *rows = examples->data != NULL ? examples->data : "";

    return json_pack("{s:s, s:s}", "examples", rows, "prior_observations",
                     notes);
}

// Takes inputs, which are NULL when out of memory.
static struct question question_of(const struct form *form, json_t *inputs,
                                   int64_t draw)
{
    return (struct question){.form = form,
                             .inputs = inputs,
                             .purpose = "summary",
                             .temperature = TEMPERATURE,
                             .draw = draw,
                             .prose = true};
}

// Asks and releases the question. *out is the field of the answer; NULL if
// there is no answer. The caller frees it.
static bool ask(struct summary *summary, struct question *question,
                const char *field, char **out, struct err *err)
{
    bool ok = true;

    *out = NULL;
    if (question->inputs == NULL) {
        err_nomem(err, "a summary of the data");
        return false;
    }
    ok = questions_ask(summary->session, question, 1, err);
    if (ok && question->answer != NULL) {
        *out = strdup(json_get_text(question->answer, field, ""));
        ok = *out != NULL;
        if (!ok)
            err_nomem(err, "a summary of the data");
    }
    question_release(question);
    return ok;
}

static bool says_complete(const char *text)
{
    static const char WORD[] = "COMPLETE";
    size_t len = 0;
    const char *start = text_trim(text, strlen(text), &len);

    for (size_t i = 0; i < sizeof WORD - 1; i++) {
        char c = i < len ? start[i] : '\0';
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (c != WORD[i])
            return false;
    }
    return true;
}

static void keep_notes(struct summary *summary, const char *text)
{
    size_t len = 0;
    const char *start = text_trim(text, strlen(text), &len);
    size_t room = NOTES_MAX_BYTES - summary->notes.len;

    if (room < 2)
        return;
    if (len > room - 1)
        len = utf8_cut(start, room - 1);
    buf_append(&summary->notes, start, len);
    buf_putc(&summary->notes, '\n');
}

// Shows a batch and keeps what the teacher notes about it. It is over when the
// teacher does not answer, or has had nothing to add SUMMARY_SKIPS times.
static bool observe(struct summary *summary, const struct batch *batch,
                    struct err *err)
{
    const struct dataset *dataset = session_dataset(summary->session);
    struct buf examples = BUF_INIT(BATCH_MAX_BYTES);
    struct question question;
    char *text = NULL;
    bool ok;

    for (size_t i = 0; i < batch->n; i++) {
        json_t *fields = dataset_fields(dataset, batch->rows[i]);

        put_row(&examples, fields);
        json_decref(fields);
    }
    ok = buf_ok(&examples, "a batch of examples", err);
    if (ok) {
        question =
            question_of(&summary->observe, observe_inputs(summary, &examples),
                        batch->number);
        ok = ask(summary, &question, "observations", &text, err);
    }
    if (text == NULL)
        summary->over = true;
    else if (says_complete(text))
        summary->over = ++summary->skips >= SUMMARY_SKIPS;
    else
        keep_notes(summary, text);
    free(text);
    buf_release(&examples);
    return ok;
}

static bool observe_all(struct summary *summary, size_t size, struct err *err)
{
    const struct split *split = session_split(summary->session);
    const size_t *rows = split->rows[SHARE_TRAIN];
    size_t n = split->n[SHARE_TRAIN];

    for (size_t i = 0; !summary->over && i < SUMMARY_OBSERVATIONS; i++) {
        size_t from = i * size;
        const struct batch batch = {.rows = rows + from,
                                    .n = n - from < size ? n - from : size,
                                    .number = (int64_t)i};

        if (from >= n)
            break;
        if (!observe(summary, &batch, err))
            return false;
    }
    return true;
}

bool data_summary(struct session *session, int64_t batch_size, char **out,
                  struct err *err)
{
    struct summary summary = {.session = session,
                              .notes = BUF_INIT(NOTES_MAX_BYTES)};
    struct question question;
    bool ok = false;

    *out = NULL;
    if (!init_forms(&summary, err) ||
        !observe_all(&summary, (size_t)batch_size, err) ||
        !buf_ok(&summary.notes, "notes on the data", err))
        goto out;
    ok = true;
    if (summary.notes.len > 0) {
        question =
            question_of(&summary.conclude,
                        json_pack("{s:s}", "observations", summary.notes.data),
                        DRAW_SUMMARY);
        ok = ask(&summary, &question, "summary", out, err);
    }

out:
    buf_release(&summary.notes);
    form_release(&summary.conclude);
    form_release(&summary.observe);
    return ok;
}
