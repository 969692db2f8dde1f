#include "search/toolkit/proposer.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "search/toolkit/descriptions.h"
#include "search/toolkit/instruction.h"
#include "search/toolkit/prose.h"
#include "search/toolkit/shown.h"
#include "search/toolkit/teacher.h"

enum {
    SHOWN_DEMOS = 3,
    DRAWS_A_STEP = 100000,
};

struct tip {
    const char *key;
    const char *text; // NULL: no tip is shown
};

static const struct tip tips[] = {
    {"none", NULL},
    {"creative", "Be creative: find a fresh way to put the task."},
    {"simple", "Keep it simple: short, clear and concise."},
    {"description", "Be informative: describe in detail what is asked for and "
                    "what a good answer looks like."},
    {"high_stakes", "Make the stakes plain: put in a situation in which much "
                    "depends on the right answer."},
    {"persona", "Give the model a persona: a role that suits the task."},
};

enum { TIPS = sizeof tips / sizeof *tips };

struct proposer {
    struct session *session;
    const struct program *program;
    const struct proposer_options *options;
    const struct demo_set *sets;
    size_t n_sets;
    struct descriptions about;
    struct form forms[2]; // for proposing: without a tip, with one
};

// --- texts

void proposals_release(struct proposals *proposals)
{
    for (size_t i = 0; proposals->lists != NULL && i < proposals->n_lists;
         i++) {
        for (size_t k = 0; k < proposals->lists[i].n; k++)
            free(proposals->lists[i].texts[k]);
        free(proposals->lists[i].texts);
    }
    free(proposals->lists);
    *proposals = (struct proposals){0};
}

static bool is_known(const struct instruction_list *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (prose_same(list->texts[i], text))
            return true;
    }
    return false;
}

// Adds text and takes it over. text may be NULL when out of memory.
static bool keep_text(struct instruction_list *list, char *text,
                      struct err *err)
{
    char **more = text != NULL
                      ? realloc(list->texts, (list->n + 1) * sizeof *more)
                      : NULL;

    if (more == NULL) {
        err_nomem(err, "instructions");
        free(text);
        return false;
    }
    list->texts = more;
    list->texts[list->n++] = text;
    return true;
}

// --- what is shown

static bool runs_predictor(const struct proposer *proposer, size_t i)
{
    return session_plan(proposer->session)
        ->runs[proposer->program->predictors[i]];
}

static bool was_shown(const int *rows, size_t n, int row)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i] == row)
            return true;
    }
    return false;
}

// Shows up to three bootstrapped demos: of this set, then of the sets after it,
// then of those before it.
static void put_demos(struct buf *out, const struct proposer *proposer,
                      size_t predictor, size_t set)
{
    int rows[SHOWN_DEMOS];
    size_t shown = 0;

    for (size_t i = 0; set > 0 && i < proposer->n_sets; i++) {
        size_t at = (set + i) % proposer->n_sets;
        const struct demo_list *list = &proposer->sets[at].lists[predictor];
        for (size_t k = 0; k < list->n && shown < SHOWN_DEMOS; k++) {
            if (!list->demos[k].augmented ||
                was_shown(rows, shown, list->demos[k].row))
                continue;
            rows[shown++] = list->demos[k].row;
            shown_fields(out, list->demos[k].fields, SHOWN_VALUE_BYTES);
            buf_putc(out, '\n');
        }
    }
    if (shown == 0)
        buf_puts(out, "None are given.");
}

// --- proposals

static bool init_propose_form(const struct proposer *proposer, bool tip,
                              struct form *form, struct err *err)
{
    struct field shown[8];
    size_t n = 0;
    const struct field told =
        form_text("proposed_instruction", "The new instruction and no more");

    if (proposer->about.data != NULL)
        shown[n++] = form_text("dataset_summary", "What the data are like");
    if (proposer->options->program_aware) {
        shown[n++] = form_text("program", "The whole program");
        shown[n++] =
            form_text("program_description", "What the program is made for");
        shown[n++] = form_text("module_description", "What this step must do");
    }
    shown[n++] = form_text("module", "The step that the instruction is for");
    if (proposer->options->fewshot_aware)
        shown[n++] =
            form_text("task_demos", "Inputs of the step and good outputs");
    shown[n++] = form_text("basic_instruction", "The present instruction");
    if (tip)
        shown[n++] = form_text("tip", "How to go about it this time");
    return form_init(
        form,
        &(struct single_step){
            .name = "propose",
            .instruction =
                "Write a better instruction for one step of a program of "
                "language-model steps. It will be put before a language model "
                "as it is, with the step's inputs after it, so it must say by "
                "itself what to do. Use what is shown here about task and "
                "data; keep what is right in the present instruction; do not "
                "answer any of the examples.",
            .inputs = shown,
            .n_inputs = n,
            .outputs = &told,
            .n_outputs = 1},
        err);
}

static bool set_text(json_t *inputs, const char *key, const char *text)
{
    return json_object_set_new(inputs, key,
                               json_string(text != NULL ? text : "")) == 0;
}

static json_t *propose_inputs(const struct proposer *proposer, size_t predictor,
                              size_t set, const char *tip)
{
    const struct step *step = program_predictor(proposer->program, predictor);
    struct buf module = BUF_INIT(SHOWN_MAX_BYTES);
    struct buf demos = BUF_INIT(SHOWN_MAX_BYTES);
    json_t *inputs = json_object();
    bool ok = inputs != NULL;

    shown_step(&module, step);
    put_demos(&demos, proposer, predictor, set);
    ok = ok && !module.failed && !demos.failed;
    if (ok && proposer->about.data != NULL)
        ok = set_text(inputs, "dataset_summary", proposer->about.data);
    if (ok && proposer->options->program_aware)
        ok = set_text(inputs, "program", proposer->about.source) &&
             set_text(inputs, "program_description", proposer->about.program) &&
             set_text(inputs, "module_description",
                      proposer->about.steps[predictor]);
    ok = ok && set_text(inputs, "module", module.data);
    if (ok && proposer->options->fewshot_aware)
        ok = set_text(inputs, "task_demos", demos.data);
    ok = ok &&
         set_text(inputs, "basic_instruction", step->signature.instruction);
    if (ok && tip != NULL)
        ok = set_text(inputs, "tip", tip);
    if (!ok) {
        json_decref(inputs);
        inputs = NULL;
    }
    buf_release(&demos);
    buf_release(&module);
    return inputs;
}

// Fills questions[0..n) with the questions of one step.
static bool prepare(const struct proposer *proposer, size_t predictor,
                    struct question *questions, struct err *err)
{
    struct rng rng = session_rng(proposer->session, "tips", predictor);

    for (size_t k = 0; k < (size_t)proposer->options->n; k++) {
        const char *tip = proposer->options->tip_aware
                              ? tips[rng_below(&rng, TIPS)].text
                              : NULL;
        size_t set = proposer->n_sets > 0 ? k % proposer->n_sets : 0;
        questions[k] = (struct question){
            .form = &proposer->forms[tip != NULL],
            .inputs = propose_inputs(proposer, predictor, set, tip),
            .purpose = "propose",
            .temperature = proposer->options->temperature,
            .draw = (int64_t)predictor * DRAWS_A_STEP + (int64_t)k,
            .prose = true,
        };
        if (questions[k].inputs == NULL) {
            err_nomem(err, "a question to the teacher");
            return false;
        }
    }
    return true;
}

static bool collect(const struct question *questions, size_t n,
                    struct instruction_list *list, size_t *dropped,
                    struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const char *text =
            json_get_text(questions[i].answer, "proposed_instruction", "");
        char *clean = instruction_clean(text);
        if (clean != NULL && (clean[0] == '\0' || is_known(list, clean))) {
            *dropped += 1;
            free(clean);
            continue;
        }
        if (!keep_text(list, clean, err))
            return false;
    }
    return true;
}

static bool propose_all(struct proposer *proposer, struct proposals *out,
                        struct err *err)
{
    size_t n = (size_t)proposer->options->n;
    size_t steps = proposer->program->n_predictors;
    struct question *questions = calloc(n * steps + 1, sizeof *questions);
    size_t asked = 0;
    size_t dropped = 0;
    bool ok = false;

    if (questions == NULL) {
        err_nomem(err, "proposals");
        goto out;
    }
    for (size_t i = 0; i < steps; i++) {
        if (!runs_predictor(proposer, i))
            continue;
        asked += n; // if one fails, the rest stays zeroed
        if (!prepare(proposer, i, questions + asked - n, err))
            goto out;
    }
    if (!questions_ask(proposer->session, questions, asked, err))
        goto out;
    for (size_t i = 0, at = 0; i < steps; i++) {
        if (!runs_predictor(proposer, i))
            continue;
        if (!collect(questions + at, n, &out->lists[i], &dropped, err))
            goto out;
        at += n;
    }
    session_note(proposer->session,
                 "%zu of %zu proposed instructions are new and readable",
                 asked - dropped, asked);
    ok = true;

out:
    for (size_t i = 0; i < asked && questions != NULL; i++)
        question_release(&questions[i]);
    free(questions);
    return ok;
}

static bool start_lists(const struct proposer *proposer, struct proposals *out,
                        struct err *err)
{
    size_t n = proposer->program->n_predictors;

    *out = (struct proposals){.n_lists = n};
    out->lists = calloc(n, sizeof *out->lists);
    if (out->lists == NULL) {
        err_nomem(err, "instructions");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct step *step = program_predictor(proposer->program, i);
        if (!keep_text(&out->lists[i], strdup(step->signature.instruction),
                       err))
            return false;
    }
    return true;
}

static void release_proposer(struct proposer *proposer)
{
    form_release(&proposer->forms[0]);
    form_release(&proposer->forms[1]);
    descriptions_release(&proposer->about);
}

bool proposals_make(struct session *session,
                    const struct proposer_options *options,
                    const struct demo_set *sets, size_t n_sets,
                    struct proposals *out, struct err *err)
{
    struct proposer proposer = {.session = session,
                                .program = session_job(session)->program,
                                .options = options,
                                .sets = sets,
                                .n_sets = n_sets};
    struct proposals made = {0};
    bool ok = false;

    if (!start_lists(&proposer, &made, err) ||
        !descriptions_make(session, options, &proposer.about, err) ||
        !init_propose_form(&proposer, false, &proposer.forms[0], err) ||
        !init_propose_form(&proposer, true, &proposer.forms[1], err) ||
        !propose_all(&proposer, &made, err))
        goto out;
    *out = made;
    made = (struct proposals){0};
    ok = true;

out:
    proposals_release(&made);
    release_proposer(&proposer);
    return ok;
}
