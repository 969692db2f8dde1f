#include "program/graph/step_order.h"

#include "common/buf.h"

static bool is_ready(const struct program *program, const bool *done, size_t at)
{
    const struct step *step = &program->steps[at];

    for (size_t i = 0; i < step_n_sources(step); i++) {
        int from = step_source(step, i)->step;
        if (from != SOURCE_INPUT && !done[from])
            return false;
    }
    return true;
}

// Returns the first step in file order that is ready and not done; n_steps if
// there is none.
static size_t find_ready(const struct program *program, const bool *done)
{
    size_t i = 0;

    while (i < program->n_steps && (done[i] || !is_ready(program, done, i)))
        i++;
    return i;
}

// Returns a step that `at` reads from and that is not done. There is one, since
// `at` is not ready.
static size_t find_waited_for(const struct program *program, const bool *done,
                              size_t at)
{
    const struct step *step = &program->steps[at];

    for (size_t i = 0; i < step_n_sources(step); i++) {
        int from = step_source(step, i)->step;
        if (from != SOURCE_INPUT && !done[from])
            return (size_t)from;
    }
    return at;
}

// Walks back from a waiting step until a step repeats, which closes a cycle.
// Reports the cycle and marks its steps as done, so that the next one can be
// found.
static void report_cycle(struct scope *scope, bool *done, size_t at)
{
    const struct program *program = scope->program;
    bool seen[PROGRAM_MAX_STEPS] = {false};
    struct buf text = BUF_INIT(1 << 20);

    for (; !seen[at]; at = find_waited_for(program, done, at))
        seen[at] = true;
    size_t first = at;
    for (size_t i = 0; i < program->n_steps; i++)
        seen[i] = false;
    for (; !seen[at]; at = find_waited_for(program, done, at)) {
        seen[at] = true;
        if (at < first)
            first = at;
    }
    at = first;
    do {
        buf_printf(&text, "`%s` reads ", program->steps[at].name);
        at = find_waited_for(program, done, at);
    } while (at != first);
    buf_printf(&text, "`%s`", program->steps[first].name);
    for (size_t i = 0; i < program->n_steps; i++)
        done[i] = done[i] || seen[i];
    if (text.failed)
        scope->diags->nomem = true;
    else
        diag_add(scope->diags, DIAG_ERROR, "cycle",
                 &program->steps[first].place,
                 "steps depend on each other in a cycle: %s", text.data);
    buf_release(&text);
}

bool step_order_make(struct scope *scope)
{
    struct program *program = scope->program;
    bool done[PROGRAM_MAX_STEPS] = {false};
    bool ok = true;

    program->order =
        arena_array(&program->arena, program->n_steps, sizeof *program->order);
    if (program->order == NULL) {
        scope->diags->nomem = true;
        return false;
    }
    for (size_t n = 0; n < program->n_steps;) {
        size_t at = find_ready(program, done);
        if (at < program->n_steps) {
            program->order[n++] = (int)at;
            done[at] = true;
            continue;
        }
        for (at = 0; at < program->n_steps && done[at];)
            at++;
        if (at == program->n_steps)
            break;
        report_cycle(scope, done, at);
        ok = false;
    }
    return ok;
}
