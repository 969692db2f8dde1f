#include "search/toolkit/text_space.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "search/toolkit/instruction.h"

// --- ours

// A text that is too long is no candidate; that is no failure.
static bool keep(struct space *space, size_t part, const struct buf *text,
                 const char *kind, int parent, struct err *err)
{
    if (text->no_memory)
        err_nomem(err, "an instruction");
    if (text->failed || text->len == 0)
        return !text->no_memory;
    return space_add_text(space, part, text->data, kind, parent, NULL, err);
}

bool text_space_write(struct space *space, const struct study *study,
                      size_t part, int parent, unsigned pieces,
                      const struct confusion *confusions, size_t n,
                      const char *kind, struct err *err)
{
    const struct wording wording = {
        .step = program_predictor(study->program, part),
        .dataset = session_dataset(study->session),
        .rows = study->rows,
        .classes = &study->classes[part],
        .lexicon = study->lexicon,
    };
    bool terse = (pieces & PIECE_TERSE) != 0;
    bool said = terse || (pieces & PIECE_STRICT) != 0;
    struct buf text = BUF_INIT(INSTRUCTION_MAX_BYTES);
    bool ok;

    if (terse)
        wording_terse(&wording, &text);
    else
        buf_puts(&text, space->parts[part].texts[parent].text);
    if ((pieces & PIECE_STRICT) != 0)
        wording_strict(&wording, &text);
    if ((pieces & PIECE_DEFINED) != 0 &&
        wording_defined(&wording, INSTRUCTION_MAX_BYTES / 2, &text))
        said = true;
    if ((pieces & PIECE_CONTRASTED) != 0 &&
        wording_contrasted(&wording, confusions, n, &text))
        said = true;
    ok = !said ||
         keep(space, part, &text, kind, terse ? SPACE_ORPHAN : parent, err);
    buf_release(&text);
    return ok;
}

// --- letters

void letter_release(struct letter *letter)
{
    for (size_t i = 0; letter->owns_cases && i < letter->n; i++) {
        json_decref((json_t *)letter->cases[i].inputs);
        json_decref((json_t *)letter->cases[i].outputs);
    }
    *letter = (struct letter){0};
}

// Those of the fields that are in list; NULL without memory.
static json_t *pick_fields(const json_t *fields, const struct field *list,
                           size_t n)
{
    json_t *out = json_object();

    for (size_t i = 0; out != NULL && i < n; i++) {
        json_t *value = json_object_get(fields, list[i].name);

        if (value == NULL || json_object_set(out, list[i].name, value) == 0)
            continue;
        json_decref(out);
        out = NULL;
    }
    return out;
}

bool letter_add_examples(struct letter *letter, const struct program *program,
                         const struct demo_list *list, struct err *err)
{
    const struct signature *signature =
        &program_predictor(program, letter->part)->signature;

    letter->owns_cases = true;
    for (size_t i = 0; i < list->n && letter->n < LETTER_CASES; i++) {
        struct reflection_case *one = &letter->cases[letter->n++];

        *one = (struct reflection_case){
            .inputs = pick_fields(list->demos[i].fields, signature->inputs,
                                  signature->n_inputs),
            .outputs = pick_fields(list->demos[i].fields, signature->outputs,
                                   signature->n_outputs),
            .score = 1,
        };
        if (one->inputs == NULL || one->outputs == NULL) {
            err_nomem(err, "a question to the teacher");
            return false;
        }
    }
    return true;
}

void letter_add_runs(struct letter *letter, const struct program *program,
                     const struct runs *runs, const size_t *which, size_t n)
{
    int step = program->predictors[letter->part];

    for (size_t i = 0; i < n && letter->n < LETTER_CASES; i++)
        if (reflection_case_of(&runs->items[which[i]], step,
                               &letter->cases[letter->n]))
            letter->n++;
}

static bool submit(const struct space *space, struct post *post,
                   const struct letter *letter, struct question *question,
                   struct err *err)
{
    const struct space_part *part = &space->parts[letter->part];
    const struct reflection reflection = {
        .step = program_predictor(session_job(space->session)->program,
                                  letter->part),
        .instruction = letter->parent == SPACE_ORPHAN
                           ? ""
                           : part->texts[letter->parent].text,
        .cases = letter->cases,
        .n_cases = letter->n,
        .hint = letter->hint,
        .temperature = post->temperature,
        .draw = post->sent++,
    };

    return reflection_prepare(post->form, &reflection, question, err) &&
           question_submit(space->session, question, err);
}

// --- what comes back

// What several answers about one text added to it.
struct merged {
    const struct letter *letter; // the first of them
    struct buf text;
    size_t answers;
};

static bool holds(const struct buf *text, const char *line)
{
    return text->data != NULL && strstr(text->data, line) != NULL;
}

// Bytes up to the end of the first sentence of text, the white space behind it
// not counted. "e.g. this" is cut too early, which does no harm here.
static size_t sentence_length(const char *text, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++)
        if (strchr(".!?", text[i]) != NULL &&
            (text[i + 1] == ' ' || text[i + 1] == '\t'))
            return i + 1;
    return len;
}

// Adds the sentences of a line that are not there yet, as a line.
static void put_new_sentences(const char *line, size_t len, struct buf *out)
{
    struct buf sentence = BUF_INIT(INSTRUCTION_MAX_BYTES);
    bool begun = false;

    while (len > 0) {
        size_t whole = sentence_length(line, len);
        size_t trimmed = 0;
        const char *start = text_trim(line, whole, &trimmed);

        buf_clear(&sentence);
        buf_append(&sentence, start, trimmed);
        if (trimmed > 0 && !sentence.failed && !holds(out, sentence.data)) {
            buf_putc(out, begun ? ' ' : '\n');
            buf_append(out, sentence.data, sentence.len);
            begun = true;
        }
        line += whole;
        len -= whole;
    }
    out->no_memory = out->no_memory || sentence.no_memory;
    buf_release(&sentence);
}

// An answer is the whole instruction rewritten, often in one line, so that most
// of it is in every other answer too.
static void put_what_is_new(const char *answer, struct buf *out)
{
    while (*answer != '\0') {
        size_t len = strcspn(answer, "\n");

        put_new_sentences(answer, len, out);
        answer += len + (answer[len] != '\0');
    }
}

static void merge(struct merged *merged, const struct space *space,
                  const struct letter *letter, const char *answer)
{
    if (letter->parent == SPACE_ORPHAN)
        return;
    if (merged->letter == NULL) {
        merged->letter = letter;
        buf_puts(&merged->text,
                 space->parts[letter->part].texts[letter->parent].text);
    }
    if (merged->letter->part != letter->part ||
        merged->letter->parent != letter->parent)
        return;
    merged->answers++;
    put_what_is_new(answer, &merged->text);
}

static bool take(struct space *space, const struct letter *letter,
                 struct question *question, struct merged *merged,
                 struct err *err)
{
    char *answer = NULL;
    bool ok = question_wait(space->session, question, err) &&
              reflection_take(question, &answer, NULL, err);

    if (ok && answer != NULL) {
        struct space_part *part = &space->parts[letter->part];
        int number = 0;

        merge(merged, space, letter, answer);
        ok = space_add_text(space, letter->part, answer, letter->kind,
                            letter->parent, &number, err);
        if (ok)
            part->texts[number].taught = letter->parent != SPACE_ORPHAN;
    }
    free(answer);
    return ok;
}

// The text with everything that the teacher ever said about the part's texts,
// as far as there is room.
static bool collect(struct space *space, size_t part, int parent,
                    struct err *err)
{
    struct buf text = BUF_INIT(INSTRUCTION_MAX_BYTES);
    bool ok;

    buf_puts(&text, space->parts[part].texts[parent].text);
    for (size_t i = 0; i < space->parts[part].n_texts; i++) {
        const struct space_text *one = &space->parts[part].texts[i];

        if (one->taught && text.len + strlen(one->text) < INSTRUCTION_MAX_BYTES)
            put_what_is_new(one->text, &text);
    }
    ok = keep(space, part, &text, "collected", parent, err);
    buf_release(&text);
    return ok;
}

bool text_space_ask(struct space *space, struct post *post,
                    const struct letter *letters, size_t n, struct err *err)
{
    struct question *questions = calloc(n + 1, sizeof *questions);
    struct merged merged = {.text = BUF_INIT(INSTRUCTION_MAX_BYTES)};
    size_t sent = 0;
    bool ok = questions != NULL;

    if (!ok)
        err_nomem(err, "questions to the teacher");
    for (; ok && sent < n; sent++)
        ok = submit(space, post, &letters[sent], &questions[sent], err);
    for (size_t i = 0; ok && i < n; i++)
        ok = take(space, &letters[i], &questions[i], &merged, err);
    if (ok && merged.answers > 1)
        ok = keep(space, merged.letter->part, &merged.text, "put together",
                  merged.letter->parent, err);
    if (ok && merged.letter != NULL)
        ok = collect(space, merged.letter->part, merged.letter->parent, err);
    for (size_t i = 0; i < sent; i++)
        question_release(&questions[i]);
    free(questions);
    buf_release(&merged.text);
    return ok;
}
