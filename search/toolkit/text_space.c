#include "search/toolkit/text_space.h"

#include <stdlib.h>
#include <string.h>

#include "search/toolkit/instruction.h"
#include "search/toolkit/sentences.h"

// --- our own texts

// Adds a text. One that is too long is dropped, which is no failure.
static bool keep(struct space *space, const struct text_draft *draft,
                 const struct buf *text, int *number, struct err *err)
{
    if (text->no_memory)
        err_nomem(err, "an instruction");
    if (text->failed || text->len == 0)
        return !text->no_memory;
    return space_add_text(space, draft->part, text->data, draft->kind,
                          draft->parent, number, err);
}

// Writes the pieces. Returns true if any of them had something to say. A terse
// text is not built on another.
static bool put_pieces(const struct wording *wording,
                       const struct text_pieces *pieces, const char *parent,
                       struct buf *text)
{
    bool said = (pieces->which & (PIECE_TERSE | PIECE_STRICT)) != 0;

    if ((pieces->which & PIECE_TERSE) != 0)
        wording_terse(wording, text);
    else
        buf_puts(text, parent);
    if ((pieces->which & PIECE_STRICT) != 0)
        wording_strict(wording, text);
    if ((pieces->which & PIECE_DEFINED) != 0 &&
        wording_defined(wording, INSTRUCTION_MAX_BYTES / 2, text))
        said = true;
    if ((pieces->which & PIECE_CONTRASTED) != 0 &&
        wording_contrasted(wording, pieces->confusions, pieces->n_confusions,
                           text))
        said = true;
    return said;
}

bool text_space_write(struct space *space, const struct study *study,
                      const struct text_draft *draft,
                      const struct text_pieces *pieces, int *number,
                      struct err *err)
{
    const struct wording wording = {
        .step = program_predictor(study->program, draft->part),
        .dataset = session_dataset(study->session),
        .rows = study->rows,
        .classes = &study->corpus.classes[draft->part],
        .lexicon = study->corpus.lexicon,
    };
    const char *parent = space->parts[draft->part].texts[draft->parent].text;
    struct text_draft of = *draft;
    struct buf text = BUF_INIT(INSTRUCTION_MAX_BYTES);
    bool ok;

    if ((pieces->which & PIECE_TERSE) != 0)
        of.parent = SPACE_ORPHAN;
    if (number != NULL)
        *number = draft->parent;
    ok = !put_pieces(&wording, pieces, parent, &text) ||
         keep(space, &of, &text, number, err);
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

// Returns those of the fields that are in list, or NULL when out of memory.
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

// Returns the row's labels for the step's outputs, or NULL when out of memory.
static json_t *list_labels(const struct program *program, const json_t *fields,
                           int step)
{
    const struct signature *signature = &program->steps[step].signature;
    json_t *out = json_object();

    for (size_t f = 0; out != NULL && f < signature->n_outputs; f++) {
        json_t *label = (json_t *)program_label(program, fields, step, (int)f);

        if (label == NULL || json_is_null(label) ||
            json_object_set(out, signature->outputs[f].name, label) == 0)
            continue;
        json_decref(out);
        out = NULL;
    }
    return out;
}

static bool add_case(struct letter *letter, json_t *inputs, json_t *outputs,
                     struct err *err)
{
    letter->owns_cases = true;
    if (inputs != NULL && json_object_size(outputs) > 0) {
        letter->cases[letter->n++] = (struct reflection_case){
            .inputs = inputs, .outputs = outputs, .score = 1};
        return true;
    }
    if (inputs == NULL || outputs == NULL)
        err_nomem(err, "a question to the teacher");
    json_decref(inputs);
    json_decref(outputs);
    return inputs != NULL && outputs != NULL;
}

// Adds what the example itself says.
static bool add_row(struct letter *letter, const struct study *study,
                    size_t row, struct err *err)
{
    const struct program *program = study->program;
    struct row both;
    bool ok;

    if (!dataset_row(session_dataset(study->session), row, &both)) {
        err_nomem(err, "an example");
        return false;
    }
    ok = add_case(
        letter, json_incref(both.inputs),
        list_labels(program, both.fields, program->predictors[letter->part]),
        err);
    json_decref(both.fields);
    json_decref(both.inputs);
    return ok;
}

bool letter_add_row(struct letter *letter, struct study *study, size_t place,
                    struct err *err)
{
    const struct program *program = study->program;
    const struct signature *signature =
        &program_predictor(program, letter->part)->signature;
    const struct demo *demo = NULL;
    bool asks = false;

    if (bank_has(study->bank, letter->part, place, &asks) && !asks) {
        if (!bank_fill(study->bank, letter->part, &place, 1, err))
            return false;
        demo = bank_demo(study->bank, letter->part, place);
    }
    if (letter->n == LETTER_CASES)
        return true;
    if (demo != NULL)
        return add_case(
            letter,
            pick_fields(demo->fields, signature->inputs, signature->n_inputs),
            pick_fields(demo->fields, signature->outputs, signature->n_outputs),
            err);
    return add_row(letter, study, study->rows[place], err);
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

// --- answers

// The answers to the letters of a group, or of a share of it, added to the text
// of its first letter.
struct merged {
    const struct letter *letter;
    struct buf text;
};

static bool holds(const struct buf *text, const char *line)
{
    return text->data != NULL && strstr(text->data, line) != NULL;
}

// Adds those sentences of an answer that are not in the text yet. An answer is
// the whole instruction rewritten, often in one line, so most of it is in every
// other answer too.
static void put_what_is_new(const char *answer, struct buf *out)
{
    struct buf copy = BUF_INIT(INSTRUCTION_MAX_BYTES);
    struct sentence sentence;
    bool more = sentence_first(answer, &sentence);
    bool begun = false;

    for (; more; more = sentence_next(&sentence)) {
        begun = begun && !sentence.first;
        buf_clear(&copy);
        buf_append(&copy, sentence.text, sentence.len);
        if (copy.failed || holds(out, copy.data))
            continue;
        buf_putc(out, begun ? ' ' : '\n');
        buf_append(out, copy.data, copy.len);
        begun = true;
    }
    out->no_memory = out->no_memory || copy.no_memory;
    buf_release(&copy);
}

static void merge(struct merged *merged, const struct space *space,
                  const struct letter *letter, const char *answer)
{
    if (merged->letter == NULL) {
        merged->letter = letter;
        buf_puts(&merged->text,
                 space->parts[letter->part].texts[letter->parent].text);
    }
    put_what_is_new(answer, &merged->text);
}

// Takes an answer. One to a letter without a text is a text of its own; one
// about a text becomes part of its group's.
static bool take(struct space *space, const struct letter *letter,
                 struct question *question,
                 struct merged (*merged)[1 + LETTER_SHARES], struct err *err)
{
    char *answer = NULL;
    bool ok = question_wait(space->session, question, err) &&
              reflection_take(question, &answer, err);

    if (ok && answer != NULL) {
        ok =
            space_add_sayings(space, letter->part, answer, letter->parent, err);
        if (ok && letter->parent == SPACE_ORPHAN)
            ok = space_add_text(space, letter->part, answer, letter->kind,
                                SPACE_ORPHAN, NULL, err);
        else if (ok)
            merge(&merged[letter->group][0], space, letter, answer);
        if (ok && letter->parent != SPACE_ORPHAN && letter->share > 0)
            merge(&merged[letter->group][letter->share], space, letter, answer);
    }
    free(answer);
    return ok;
}

// Cuts a sentence out, with the white space before it.
static void cut(char *text, const char *sentence)
{
    char *at = strstr(text, sentence);
    char *end;

    if (at == NULL)
        return;
    end = at + strlen(sentence);
    while (at > text && strchr(" \t\n", at[-1]) != NULL)
        at--;
    memmove(at, end, strlen(end) + 1);
}

bool text_space_gather(struct space *space, const struct text_draft *draft,
                       const double *worth, size_t n, int *number,
                       struct err *err)
{
    const struct space_part *from = &space->parts[draft->part];
    struct buf text = BUF_INIT(INSTRUCTION_MAX_BYTES);
    char *base = strdup(from->texts[draft->parent].text);
    bool ok = base != NULL;

    if (!ok)
        err_nomem(err, "an instruction");
    for (size_t i = 0; ok && i < n; i++)
        if (worth[i] < 0)
            cut(base, from->sayings[i]);
    if (ok)
        buf_puts(&text, base);
    for (size_t i = 0; ok && i < from->n_sayings; i++)
        if ((i >= n || worth[i] >= 0) && !holds(&text, from->sayings[i]) &&
            text.len + strlen(from->sayings[i]) < INSTRUCTION_MAX_BYTES - 1) {
            buf_putc(&text, '\n');
            buf_puts(&text, from->sayings[i]);
        }
    if (number != NULL)
        *number = draft->parent;
    ok = ok && keep(space, draft, &text, number, err);
    free(base);
    buf_release(&text);
    return ok;
}

static bool keep_merged(struct space *space, const struct merged *merged,
                        bool share, struct err *err)
{
    const struct letter *letter = merged->letter;
    struct space_part *part;
    struct text_draft draft;
    size_t before;

    if (letter == NULL)
        return true;
    part = &space->parts[letter->part];
    before = part->n_texts;
    draft = (struct text_draft){
        .part = letter->part, .parent = letter->parent, .kind = letter->kind};
    if (!keep(space, &draft, &merged->text, NULL, err))
        return false;
    if (part->n_texts > before)
        part->texts[before].share = share;
    return true;
}

bool text_space_ask(struct space *space, struct post *post,
                    const struct letter *letters, size_t n, struct err *err)
{
    struct question *questions = calloc(n + 1, sizeof *questions);
    struct merged merged[LETTER_GROUPS][1 + LETTER_SHARES];
    size_t sent = 0;
    bool ok = questions != NULL;

    for (size_t g = 0; g < LETTER_GROUPS; g++)
        for (size_t s = 0; s <= LETTER_SHARES; s++)
            merged[g][s] =
                (struct merged){.text = BUF_INIT(INSTRUCTION_MAX_BYTES)};
    if (!ok)
        err_nomem(err, "questions to the teacher");
    for (; ok && sent < n; sent++)
        ok = submit(space, post, &letters[sent], &questions[sent], err);
    for (size_t i = 0; ok && i < n; i++)
        ok = take(space, &letters[i], &questions[i], merged, err);
    for (size_t g = 0; g < LETTER_GROUPS; g++)
        for (size_t s = 0; s <= LETTER_SHARES; s++) {
            ok = ok && keep_merged(space, &merged[g][s], s > 0, err);
            buf_release(&merged[g][s].text);
        }
    for (size_t i = 0; i < sent; i++)
        question_release(&questions[i]);
    free(questions);
    return ok;
}
