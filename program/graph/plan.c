#include "program/graph/plan.h"

#include <string.h>

#include "program/graph/kind.h"

// Marks a source as read. A step that is read from must run.
static void read_source(struct plan *plan, const struct source *source)
{
    if (source->step == SOURCE_INPUT)
        return;
    plan->runs[source->step] = true;
    if (source->field != SOURCE_WHOLE)
        plan->reads[source->step] |= UINT64_C(1) << source->field;
}

// The sources of conditions, which come after those of the inputs, are always
// needed.
static bool is_needed(const struct plan *plan, const struct step *step, int at,
                      size_t source)
{
    return step->kind->needs == NULL || source >= step->signature.n_inputs ||
           step->kind->needs(step, plan->reads[at], source);
}

// Walks the order backwards, so that all readers of a step come before it.
static void spread(const struct program *program, struct plan *plan)
{
    for (size_t i = program->n_steps; i-- > 0;) {
        const struct step *step = &program->steps[program->order[i]];
        if (!plan->runs[program->order[i]])
            continue;
        for (size_t j = 0; j < step_n_sources(step); j++)
            if (is_needed(plan, step, program->order[i], j))
                read_source(plan, step_source(step, j));
    }
}

void plan_make(const struct program *program, const bool *reads_output,
               struct plan *out)
{
    *out = (struct plan){0};
    for (size_t i = 0; i < program->n_outputs; i++) {
        if (reads_output[i])
            read_source(out, &program->outputs[i].source);
    }
    spread(program, out);
}

void plan_all(const struct program *program, struct plan *out)
{
    *out = (struct plan){0};
    for (size_t i = 0; i < program->n_steps; i++)
        out->runs[i] = true;
    for (size_t i = 0; i < program->n_outputs; i++)
        read_source(out, &program->outputs[i].source);
    spread(program, out);
}

size_t plan_predictors(const struct plan *plan, const struct program *program,
                       size_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < program->n_predictors; i++) {
        if (!plan->runs[program->predictors[i]])
            continue;
        if (out != NULL)
            out[n] = i;
        n++;
    }
    return n;
}
