#include "search/optimizers/simba/demos.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/utf8.h"
#include "search/toolkit/row_demo.h"

// Draws by Knuth's multiplication of uniforms, which suits a small mean.
static size_t draw_poisson(struct rng *rng, double mean)
{
    double limit = exp(-mean);
    double product = rng_double(rng);
    size_t n = 0;

    for (; product > limit; n++)
        product *= rng_double(rng);
    return n;
}

static size_t most_demos(const struct candidate *candidate)
{
    size_t most = 0;
    for (size_t p = 0; p < candidate->n_parts; p++) {
        if (candidate->parts[p].n_demos > most)
            most = candidate->parts[p].n_demos;
    }
    return most;
}

bool simba_demos_drop(struct simba_search *search, struct candidate *child,
                      struct err *err)
{
    size_t n = most_demos(child);
    size_t limit =
        search->params->max_demos > 0 ? (size_t)search->params->max_demos : 3;
    size_t drop = draw_poisson(&search->step.rng, (double)n / (double)limit);
    bool *gone = calloc(n + 1, sizeof *gone);
    struct demo *kept = calloc(n + 1, sizeof *kept);
    bool ok = gone != NULL && kept != NULL;

    if (!ok)
        err_nomem(err, "demos");
    if (drop < 1 && n >= limit)
        drop = 1;
    if (drop > n)
        drop = n;
    for (size_t i = 0; ok && i < drop; i++)
        gone[rng_below(&search->step.rng, n)] = true;
    for (size_t p = 0; ok && drop > 0 && p < child->n_parts; p++) {
        const struct candidate_part *part = &child->parts[p];
        size_t left = 0;
        for (size_t i = 0; i < part->n_demos; i++) {
            if (!gone[i])
                kept[left++] = part->demos[i];
        }
        ok = candidate_set_demos(child, p, part->demo_set_no, kept, left, err);
    }
    free(gone);
    free(kept);
    return ok;
}

// Cuts long inputs of a demo; its fields are changed in a copy.
static bool cut_inputs(const struct simba_search *search,
                       const struct step *step, struct demo *demo,
                       struct err *err)
{
    size_t most = (size_t)search->params->demo_input_field_maxlen;

    for (size_t i = 0; i < step->signature.n_inputs; i++) {
        const char *name = step->signature.inputs[i].name;
        const char *text = json_get_text(demo->fields, name, NULL);
        if (text == NULL || strlen(text) <= most)
            continue;
        json_t *copy = json_copy(demo->fields);
        json_t *cut = json_stringn(text, utf8_cut(text, most));
        if (copy == NULL || cut == NULL ||
            json_object_set_new(copy, name, cut) != 0) {
            json_decref(copy);
            err_nomem(err, "a demo");
            return false;
        }
        json_decref(demo->fields);
        demo->fields = copy;
    }
    return true;
}

static bool append_demo(struct simba_search *search, struct candidate *child,
                        size_t predictor, const struct demo *demo,
                        struct err *err)
{
    const struct candidate_part *part = &child->parts[predictor];
    struct demo *demos = calloc(part->n_demos + 1, sizeof *demos);

    if (demos == NULL) {
        err_nomem(err, "demos");
        return false;
    }
    if (part->n_demos > 0)
        memcpy(demos, part->demos, part->n_demos * sizeof *demos);
    demos[part->n_demos] = *demo;
    bool ok = candidate_set_demos(child, predictor, (int)search->made, demos,
                                  part->n_demos + 1, err);
    free(demos);
    return ok;
}

bool simba_demos_add(struct simba_search *search,
                     const struct simba_bucket *bucket, struct candidate *child,
                     struct err *err)
{
    const struct program *program = session_job(search->session)->program;
    const struct task_item *good = bucket->items[0];

    search->made++;
    if (bucket->n == 0 || good->score <= search->step.low ||
        good->outcome != RUN_DONE)
        return true;
    for (size_t i = 0; i < search->n_parts; i++) {
        int step = program->predictors[search->parts[i]];
        struct demo demo = {0};
        if (good->step_outputs[step] == NULL)
            continue;
        const struct row_demo_run run = {step, bucket->row,
                                         good->step_inputs[step],
                                         good->step_outputs[step]};
        if (!row_demo_of_run(program, session_dataset(search->session), &run,
                             &demo, err))
            return false;
        bool ok = demo.fields == NULL ||
                  (cut_inputs(search, &program->steps[step], &demo, err) &&
                   append_demo(search, child, search->parts[i], &demo, err));
        json_decref(demo.fields);
        if (!ok)
            return false;
    }
    return true;
}
