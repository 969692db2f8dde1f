#include "search/session/fit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "program/graph/search_spec.h"
#include "program/prompt/prompt.h"

enum {
    // The length assumed for a text that an earlier step writes: all that is
    // known about it is that this prompt contains it.
    FIT_UPSTREAM_BYTES = 400,
    TAIL_MAX_BYTES = 2 * PROMPT_MAX_BYTES, // of a question, escaped
    TOO_LONG_BYTES = INT32_MAX,            // fits no context
};

struct fit {
    const struct job *job;
    const struct plan *plan;
    size_t *tail_bytes; // the longest question, one per predictor; owned
};

// Returns how many such texts a source stands for: for passages, as many as the
// search may return.
static size_t count_texts(const struct fit *fit, const struct source *source)
{
    const struct search_spec *spec =
        fit->job->program->steps[source->step].search;
    const struct tunables *tunables = &fit->job->tunables;
    size_t most = spec == NULL ? 1 : (size_t)spec->k;

    for (size_t i = 0; spec != NULL && i < tunables->n; i++) {
        const struct tunable *one = &tunables->items[i];

        if (one->step != source->step || strcmp(one->key, "k") != 0)
            continue;
        for (size_t c = 0; c < one->n_choices; c++)
            if ((size_t)json_integer_value(one->choices[c]) > most)
                most = (size_t)json_integer_value(one->choices[c]);
    }
    return most;
}

// Returns the inputs of a step for one example, as far as they come from the
// job, as a new reference. *upstream counts the other inputs.
static json_t *known_inputs(const struct fit *fit, const struct step *step,
                            const json_t *inputs, size_t *upstream)
{
    const struct program *program = fit->job->program;
    json_t *known = json_object();

    *upstream = 0;
    for (size_t i = 0; known != NULL && i < step->signature.n_inputs; i++) {
        const struct source *source = &step->sources[i];
        const char *name = step->signature.inputs[i].name;
        json_t *value = NULL;

        if (source->step == SOURCE_INPUT)
            value =
                json_object_get(inputs, program->inputs[source->field].name);
        else
            *upstream += count_texts(fit, source);
        if (json_object_set(known, name, value == NULL ? json_null() : value) !=
            0) {
            json_decref(known);
            known = NULL;
        }
    }
    return known;
}

// Computes the bytes of a text that was rendered; what is too long for a prompt
// counts as `most`. Its length is a fact about the job, not a failure: such a
// demo is dropped, and such a question is the outcome of its row. Returns false
// on any other failure, which is in why.
static bool measure_text(const struct buf *text, const struct err *why,
                         size_t most, size_t *bytes, struct err *err)
{
    *bytes = why->code == ERR_LIMIT ? most : text->len;
    if (why->code == ERR_NONE || why->code == ERR_LIMIT)
        return true;
    *err = *why;
    return false;
}

static bool measure_question(const struct step *step, const json_t *inputs,
                             struct buf *tail, size_t *bytes, struct err *err)
{
    struct err why = ERR_CLEAR;

    buf_clear(tail);
    (void)prompt_question(step, inputs, tail, &why);
    return measure_text(tail, &why, TAIL_MAX_BYTES, bytes, err);
}

static bool measure(const struct fit *fit, const struct dataset *dataset,
                    size_t p, struct err *err)
{
    const struct program *program = fit->job->program;
    const struct step *step = program_predictor(program, p);
    struct buf tail = BUF_INIT(TAIL_MAX_BYTES);
    size_t upstream = 0;
    size_t bytes = 0;
    bool ok = true;

    for (size_t r = 0; ok && r < dataset_size(dataset); r++) {
        json_t *inputs = dataset_inputs(dataset, r);
        json_t *known =
            inputs == NULL ? NULL : known_inputs(fit, step, inputs, &upstream);

        ok = known != NULL && measure_question(step, known, &tail, &bytes, err);
        if (known == NULL)
            err_nomem(err, "an example");
        json_decref(known);
        json_decref(inputs);
        bytes += upstream * FIT_UPSTREAM_BYTES;
        if (bytes > fit->tail_bytes[p])
            fit->tail_bytes[p] = bytes;
    }
    buf_release(&tail);
    return ok;
}

struct fit *fit_new(const struct job *job, const struct dataset *dataset,
                    const struct plan *plan, struct err *err)
{
    struct fit *fit = calloc(1, sizeof *fit);
    size_t n = job->program->n_predictors;

    if (fit != NULL)
        fit->tail_bytes = calloc(n + 1, sizeof *fit->tail_bytes);
    if (fit == NULL || fit->tail_bytes == NULL) {
        err_nomem(err, "a job");
        fit_free(fit);
        return NULL;
    }
    fit->job = job;
    fit->plan = plan;
    for (size_t p = 0; p < n; p++)
        if (!measure(fit, dataset, p, err)) {
            fit_free(fit);
            return NULL;
        }
    return fit;
}

void fit_free(struct fit *fit)
{
    if (fit == NULL)
        return;
    free(fit->tail_bytes);
    free(fit);
}

// Returns the job's settings with the candidate's on top.
static struct settings settings_of(const struct fit *fit,
                                   const struct candidate *candidate)
{
    struct settings settings;

    job_settings(fit->job, ROLE_STUDENT, &settings);
    settings_overlay(&candidate->settings, SETTING_MODEL, &settings);
    return settings;
}

static bool measure_demo(const struct step *step, const struct demo *demo,
                         enum adapter form, size_t *bytes, struct err *err)
{
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES);
    struct err why = ERR_CLEAR;
    bool ok;

    (void)prompt_demos(step, demo, 1, form, &text, &why);
    ok = measure_text(&text, &why, TOO_LONG_BYTES, bytes, err);
    buf_release(&text);
    return ok;
}

static int longest_first(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;

    return (x < y) - (x > y);
}

// Computes the bytes of the n longest demos of a pool.
static bool measure_pool(const struct step *step,
                         const struct candidate_part *part, enum adapter form,
                         size_t n, size_t *bytes, struct err *err)
{
    size_t *each = calloc(part->n_demos + 1, sizeof *each);
    bool ok = each != NULL;

    if (!ok)
        err_nomem(err, "demos");
    for (size_t i = 0; ok && i < part->n_demos; i++)
        ok = measure_demo(step, &part->demos[i], form, &each[i], err);
    if (ok)
        qsort(each, part->n_demos, sizeof *each, longest_first);
    *bytes = 0;
    for (size_t i = 0; ok && i < n && i < part->n_demos; i++)
        *bytes += each[i];
    free(each);
    return ok;
}

static bool measure_prefix(const struct step *step,
                           const struct candidate_part *part, enum adapter form,
                           size_t *bytes, struct err *err)
{
    struct buf prefix = BUF_INIT(PROMPT_MAX_BYTES);
    struct err why = ERR_CLEAR;
    bool ok;

    (void)prompt_prefix(step, part, form, &prefix, &why);
    ok = measure_text(&prefix, &why, TOO_LONG_BYTES, bytes, err);
    buf_release(&prefix);
    return ok;
}

// Estimates the tokens of the step's longest prompt with its first n demos, or
// with the n longest of its pool. Returns false on failure.
static bool estimate(const struct fit *fit, const struct candidate *candidate,
                     size_t p, size_t n_demos, size_t *tokens, struct err *err)
{
    const struct step *step = program_predictor(fit->job->program, p);
    enum adapter form = settings_of(fit, candidate).adapter;
    struct candidate_part part = candidate->parts[p];
    size_t of_prefix = 0;
    size_t of_pool = 0;
    bool ok = part.nearest == 0 ||
              measure_pool(step, &part, form, n_demos, &of_pool, err);

    part.n_demos = n_demos;
    ok = ok && measure_prefix(step, &part, form, &of_prefix, err);
    *tokens = prompt_estimate_tokens(of_prefix + of_pool + fit->tail_bytes[p]);
    return ok;
}

static size_t room(const struct fit *fit, const struct candidate *candidate)
{
    const struct call_options options = settings_of(fit, candidate).options;

    return options.num_ctx > options.num_predict
               ? (size_t)(options.num_ctx - options.num_predict)
               : 0;
}

// Returns the room that demos may fill: the context, or what the job allows of
// it.
static size_t room_for_demos(const struct fit *fit,
                             const struct candidate *candidate)
{
    size_t most = (size_t)fit->job->max_prompt_tokens;
    size_t all = room(fit, candidate);

    return most > 0 && most < all ? most : all;
}

// Computes the most demos that prompts of part p may show.
static bool fitting_demos(const struct fit *fit,
                          const struct candidate *candidate, size_t p,
                          size_t *n, struct err *err)
{
    size_t tokens;

    *n = candidate_part_n_shown(&candidate->parts[p]);
    if (fit->job->limits_demos && *n > (size_t)fit->job->max_demos)
        *n = (size_t)fit->job->max_demos;
    for (; *n > 0; --*n) {
        if (!estimate(fit, candidate, p, *n, &tokens, err))
            return false;
        if (tokens <= room_for_demos(fit, candidate))
            break;
    }
    return true;
}

static bool searched(const struct fit *fit, size_t p)
{
    return fit->plan->runs[fit->job->program->predictors[p]];
}

// Limits the demos that part p shows to n.
static bool cut_demos(struct candidate *candidate, size_t p, size_t n,
                      struct err *err)
{
    const struct candidate_part *part = &candidate->parts[p];

    if (part->nearest == 0 || n == 0)
        return candidate_set_demos(candidate, p, part->demo_set_no, part->demos,
                                   n, err);
    candidate_set_nearest(candidate, p, n);
    return true;
}

struct candidate *fit_candidate(const struct fit *fit,
                                struct candidate *candidate, struct err *err)
{
    struct candidate *copy = NULL;
    bool ok = true;
    size_t n;

    for (size_t p = 0; ok && p < candidate->n_parts; p++) {
        const struct candidate_part *part = &candidate->parts[p];

        if (!searched(fit, p))
            continue;
        ok = fitting_demos(fit, candidate, p, &n, err);
        if (!ok || n == candidate_part_n_shown(part))
            continue;
        if (copy == NULL)
            copy = candidate_copy(candidate, err);
        ok = copy != NULL && cut_demos(copy, p, n, err);
    }
    if (!ok) {
        candidate_unref(copy);
        return NULL;
    }
    if (copy == NULL)
        return candidate_ref(candidate);
    candidate_seal(copy);
    return copy;
}

bool fit_tokens(const struct fit *fit, const struct candidate *candidate,
                size_t *tokens, struct err *err)
{
    *tokens = 0;
    for (size_t p = 0; p < candidate->n_parts; p++) {
        size_t of_step = 0;

        if (!searched(fit, p))
            continue;
        if (!estimate(fit, candidate, p,
                      candidate_part_n_shown(&candidate->parts[p]), &of_step,
                      err))
            return false;
        *tokens = of_step > *tokens ? of_step : *tokens;
    }
    return true;
}

bool fit_check(const struct fit *fit, const struct candidate *baseline,
               struct err *err)
{
    size_t most = (size_t)fit->job->max_prompt_tokens;
    size_t tokens;

    for (size_t p = 0; p < baseline->n_parts; p++) {
        if (!searched(fit, p))
            continue;
        if (!estimate(fit, baseline, p, 0, &tokens, err))
            return false;
        if (tokens > room(fit, baseline)) {
            err_set(err, ERR_INPUT,
                    "the longest prompt of step `%.40s` needs about %zu "
                    "tokens, and num_ctx less num_predict leaves %zu: raise "
                    "`models.options.num_ctx`",
                    program_predictor(fit->job->program, p)->name, tokens,
                    room(fit, baseline));
            return false;
        }
        if (most > 0 && tokens > most) {
            err_set(err, ERR_INPUT,
                    "the longest prompt of step `%.40s` needs about %zu tokens "
                    "without a demo, and `max_prompt_tokens` is %zu: raise it, "
                    "or shorten the prompt",
                    program_predictor(fit->job->program, p)->name, tokens,
                    most);
            return false;
        }
    }
    return true;
}
